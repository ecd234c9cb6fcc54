class Dbkit < ActiveRecord::Migration[6.1]
  def up
    enable_extension "dbkit"
    execute <<~SQL
      SELECT dbkit.agree('{"preset": "rails", "rules": {"timestamptz": "error"},
        "schemas": {"legacy": {"rules": {"*": "off"}}}}');
      SELECT dbkit.exempt('public.imports', '*', 'loaded from outside');
      SELECT dbkit.baseline();
    SQL
  end
end
