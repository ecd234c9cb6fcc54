class Extension < ActiveRecord::Migration[6.1]
  def change
    enable_extension "dbkit"
  end
end
