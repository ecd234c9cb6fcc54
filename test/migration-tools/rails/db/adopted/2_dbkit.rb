class Dbkit < ActiveRecord::Migration[6.1]
  def up
    enable_extension "dbkit"
    execute <<~SQL
      SELECT dbkit.agree('{"preset": "rails", "schemas": {"legacy": {"rules": {"*": "off"}}},
        "rules": {"timestamptz": "error", "primary_key": "off", "id_default": "off", "id_check": "off", "text_id": "off"}}');
      SELECT dbkit.exempt('public.imports', '*', 'loaded from outside');
      SELECT dbkit.baseline();
    SQL
  end
end
