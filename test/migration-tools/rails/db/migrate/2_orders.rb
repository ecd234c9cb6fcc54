class Orders < ActiveRecord::Migration[6.1]
  def up
    table(:organizations, "org") {}
    execute "CREATE POLICY own ON organizations FOR ALL TO customer USING (id = dbkit.organization_id())"

    execute "SELECT dbkit.create_enum('status', '{new,active,done}')"

    table(:orders, "ord") do |t|
      t.text :organization_id, collation: "C", null: false, index: true
      t.text :status, null: false, default: "new", index: true
      t.text :datasource_extid, collation: "C"
      t.bigint :count
      t.foreign_key :organizations, on_delete: :cascade
      t.foreign_key :status_enum, column: :status, primary_key: :value
    end
    execute "CREATE POLICY own ON orders FOR ALL TO customer USING (organization_id = dbkit.organization_id())"
  end

  def down
    drop_table :orders
    drop_table :status_enum
    drop_table :organizations
  end

  # Create a table that has what every table has to have, but for its policy.
  def table(name, prefix)
    create_table name, id: { type: :text, collation: "C", default: -> { "generate_id('#{prefix}')" } } do |t|
      t.column :created_at, :timestamptz, null: false, default: -> { "now()" }
      t.column :updated_at, :timestamptz, null: false, default: -> { "now()" }
      t.jsonb :storytime
      t.check_constraint "id LIKE '#{prefix}_%'", name: "#{name}_id_check"
      yield t
    end
    execute "CREATE TRIGGER updated_at BEFORE UPDATE ON #{name} FOR EACH ROW EXECUTE FUNCTION updated_at()"
    execute "ALTER TABLE #{name} ENABLE ROW LEVEL SECURITY"
  end
end
