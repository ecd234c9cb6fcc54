class Shop < ActiveRecord::Migration[6.1]
  def change
    create_table :customers do |t|
      t.string :name, null: false
      t.timestamps
    end
    create_table :orders do |t|
      t.references :customer, foreign_key: true, index: false
      t.datetime :shipped_at
      t.timestamps
    end
    create_table(:imports, id: false) { |t| t.integer :line }
    execute "CREATE SCHEMA legacy"
  end
end
