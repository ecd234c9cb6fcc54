# Run the SQL of a file in a transaction, and let the error end the program or show it.
require "active_record"

way, file = ARGV
begin
  ActiveRecord::Base.establish_connection(adapter: "postgresql")
  ActiveRecord::Base.transaction { ActiveRecord::Base.connection.execute(File.read(file)) }
rescue ActiveRecord::StatementInvalid => error
  raise if way == "uncaught error"

  require_relative "whole"
  puts whole(error)
end
