# What the page's helper has to hold, as TAP.
require "active_record"
require "action_controller"
require_relative "xact"

NOTES = { "org_a" => %w[a1 a2], "org_b" => %w[b1] }

class Note < ActiveRecord::Base
  attribute :organization_id
  after_commit { committed << title }
  cattr_accessor(:committed) { [] }
end

class NotesController
  rescue_from(ArgumentError) { head :bad_request }

  def create
    Note.create!(title: "a3")
    raise ArgumentError
  end
end

def ok(fact, what) = puts("#{fact ? "ok" : "not ok"} - #{what}")

# Does the block fail with this text?
def refused(text)
  yield
  puts "# nothing is raised"
rescue => error
  error.message.include?(text) || puts("# #{error.message}")
end

# Send a request with a session through the controller.
def response(action, user, organization)
  session = { user_id: user, organization_id: organization }.with_indifferent_access
  env = Rack::MockRequest.env_for("/").merge("rack.session" => session)
  NotesController.action(action).call(env)
end

def titles(user, organization)
  body = +""
  response(:index, user, organization)[2].each { |part| body << part }
  body.split
end

def right(organization) = titles("usr_1", organization) == NOTES[organization]

def failing
  Tenant.xact("usr_1", "org_a") do
    Note.create!(title: "a3")
    yield
  end
end

database = { adapter: "postgresql", pool: 4, prepared_statements: false }
ActiveRecord::Base.establish_connection(database)

ok right("org_a") && right("org_b") && right("org_a"), "each tenant sees its rows"
ok Note.pluck(:title) == [], "and a request without a context none"
ok refused("the application's") { failing { raise "the application's" } } && right("org_a"), "an exception rolls back"
ok refused("division by zero") { failing { Note.find_by_sql("SELECT 1 / 0") } } && right("org_b"), "an error of the server, too"
ok titles(nil, "org_a") == NOTES["org_a"], "a request may have no user"
ok refused("needs a user or an organization") { titles(nil, nil) }, "nobody cannot enter"
ok refused("xact inside of a transaction") { failing { Tenant.xact("usr_1", "org_b") {} } } && right("org_b"), "one in another is refused"
ok response(:create, "usr_1", "org_a")[0] == 400 && right("org_a"), "an action that fails changes nothing, also where it is rescued from"

Tenant.xact("usr_1", "org_b") do
  Note.transaction(requires_new: true) do
    Note.create!(title: "b2")
    raise ActiveRecord::Rollback
  end
  Note.transaction(requires_new: true) { Note.create!(title: "b3") }
  ok Note.order(:title).pluck(:title) == %w[b1 b3], "savepoints work within"
  ok Note.committed == [], "callbacks after COMMIT have not run yet"
end
ok Note.committed == ["b3"] && titles("usr_2", "org_b") == %w[b1 b3], "what is done is committed, and then they run"
Tenant.xact("usr_1", "org_b") { Note.where(title: "b3").delete_all }

Tenant.xact("usr_1", "org_a") do
  Note.transaction do
    Note.create!(title: "a3")
    raise ActiveRecord::Rollback
  end
  ok Note.delete_by(title: "a3") == 1, "a transaction within that is no savepoint undoes nothing"
end

connection = ActiveRecord::Base.connection
connection.begin_transaction(joinable: false)
ok refused("xact inside of a transaction") { titles("usr_1", "org_a") }, "one in the transaction of a test is refused"
connection.rollback_transaction

ActiveRecord::Base.cache do
  seen = %w[org_a org_b].map { |organization| Tenant.xact("usr_1", organization) { Note.order(:title).pluck(:title) } }
  ok seen == NOTES.values && Note.order(:title).pluck(:title) == [], "the query cache gives no rows of another context"
end

queue = Queue.new(%w[org_a org_b] * 100).close
threads = Array.new(8) do
  Thread.new do
    results = []
    while (organization = queue.pop)
      results << ActiveRecord::Base.connection_pool.with_connection { right(organization) }
    end
    results
  end
end
ok threads.flat_map(&:value).tally == { true => 200 }, "200 requests in 8 threads do not mix"
