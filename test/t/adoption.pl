# A database with tables adopts dbkit, in one session: what it agreed on holds at once, and
# comes along on every road that takes a schema elsewhere, also to where there is no dbkit.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', 'max_prepared_transactions = 5');
$node->start;
my $dir = PostgreSQL::Test::Utils::tempdir;

# A schema that uses nothing of dbkit, and breaks many of its rules
my $tables = q{
	CREATE SCHEMA legacy;
	CREATE TYPE mood AS ENUM ('sad', 'happy');
	CREATE TABLE legacy.raw (n int, at timestamp);
	CREATE TABLE tenants (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), name text NOT NULL);
	CREATE TABLE orders (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), tenant_id uuid NOT NULL REFERENCES tenants, shipped_at timestamp, n int, mood mood);
	CREATE TABLE imports (line int);
	CREATE VIEW recent AS SELECT * FROM orders;
	CREATE FUNCTION set_updated_at() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RETURN NEW; END$$;
	CREATE TRIGGER set_updated_at BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION set_updated_at();
	ALTER TABLE tenants ENABLE ROW LEVEL SECURITY;
	CREATE POLICY own ON tenants USING (id = current_setting('app.organization_id')::uuid);
	INSERT INTO tenants (name) VALUES ('one'), ('two')};
my $agree = q{SELECT dbkit.agree('{"id_style": "uuid", "organization_tables": ["tenants"], "updated_at_functions": ["set_updated_at"],
	"rules": {"storytime": "warning"},
	"schemas": {"legacy": {"rules": {"*": "off", "bigint": "warning"}}}}')};
my $exempt = q{SELECT dbkit.exempt('public.imports', '*', 'loaded from outside')};
my $baseline = 'SELECT dbkit.baseline() > 5';
my $overlooked = 'SET dbkit.enforce = off; CREATE TABLE overlooked (id uuid, at timestamp, created_at timestamptz DEFAULT now() NOT NULL)';

# What is refused, and what is not
my %tries = (
	'ALTER TABLE orders ADD note text' => 'accepted',
	'ALTER TABLE orders ADD at timestamp' => 'timestamptz',
	'ALTER TABLE tenants ADD order_id uuid REFERENCES orders ON DELETE CASCADE' => 'fk_index',
	'ALTER TABLE tenants DISABLE ROW LEVEL SECURITY' => 'rls_enabled',
	'ALTER TABLE imports ADD at timestamp' => 'accepted',
	'ALTER TABLE orders RENAME TO purchases' => 'accepted',
	'CREATE TABLE legacy.more (at timestamp)' => 'accepted',
	'CREATE OR REPLACE VIEW recent AS SELECT *, 1 AS one FROM orders' => 'accepted',
	'CREATE VIEW later AS SELECT * FROM orders' => 'view_security_invoker');

sub psql_silently
{
	my ($db, @options) = @_;
	command_like([ 'psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr($db), @options ], qr/^/, "$db is made");
}

# Give what a statement that comes to a database ends with.
sub try
{
	my ($db, $statement) = @_;
	my ($status, $stdout, $stderr) = $node->psql($db, "BEGIN; $statement; PREPARE TRANSACTION 'try'; ROLLBACK PREPARED 'try'");
	return 'accepted' if $status == 0;
	return $stderr =~ /ERROR:  .* breaks the schema convention "(\w+)"/ ? $1 : $stderr;
}

# Give what dbkit says of a database.
sub verdicts
{
	my ($db) = @_;
	my $said = $node->safe_psql($db, q{
		SELECT 'check', * FROM dbkit.check();
		SELECT 'status', * FROM dbkit.status() WHERE name <> 'preloaded';
		SELECT 'agreement', dbkit.agreement();
		SELECT 'exemption', * FROM dbkit.exemption ORDER BY object, rule;
		SELECT 'stale', * FROM dbkit.stale_exemptions});
	return join "\n", $said, map { "$_: " . try($db, $_) } sort keys %tries;
}

sub dump_to
{
	my ($file, @options) = @_;
	command_ok([ 'pg_dump', '-d', $node->connstr('adopted'), '-f', "$dir/$file", @options ], "pg_dump makes $file");
	return "$dir/$file";
}

# In one session, each statement for itself, in one transaction, and in sessions of their own
my @steps = ('CREATE EXTENSION dbkit', $agree, $exempt, $baseline, $overlooked);
my %adoptions = (adopted => [ join '; ', @steps ], at_once => [ join '; ', 'BEGIN', @steps, 'COMMIT' ], one_by_one => \@steps);
for my $db (sort keys %adoptions)
{
	$node->safe_psql('postgres', "CREATE DATABASE $db");
	$node->safe_psql($db, $tables);
	like(join("\n", map { $node->safe_psql($db, $_) } @{ $adoptions{$db} }), qr/\nt$/, "$db: something is old");
}
my $before = verdicts('adopted');
is(verdicts('at_once'), $before, 'all in one transaction makes no difference');
is(verdicts('one_by_one'), $before, 'nor do sessions of their own');
is(try('adopted', $_), $tries{$_}, "after the adoption: $_") for sort keys %tries;
like($before, qr/^check\|timestamptz\|error\|table\|public\.overlooked\|/m, 'what came after the baseline is found');
unlike($before, qr/^check\|.*(orders|tenants|imports|mood|recent|raw)/m, 'what is old is not');

# The roads: each makes a database
my %roads = (
	schema_only => sub { psql_silently($_[0], '-f', dump_to('schema.sql', '-s')) },
	one_transaction => sub { psql_silently($_[0], '-1', '-f', "$dir/schema.sql") },
	no_owners => sub { psql_silently($_[0], '-f', dump_to('structure.sql', qw(-s --no-owner --no-privileges --no-comments))) },
	custom => sub { command_ok([ 'pg_restore', '-e', '-d', $node->connstr($_[0]), dump_to('custom', '-Fc') ], 'pg_restore -e') },
	template => sub { $node->safe_psql('postgres', "DROP DATABASE $_[0]; CREATE DATABASE $_[0] TEMPLATE adopted") });
for my $road (qw(schema_only one_transaction no_owners custom template))
{
	$node->safe_psql('postgres', "CREATE DATABASE $road");
	$roads{$road}->($road);
	is(verdicts($road), $before, "$road: the verdicts are the same");
}

# A schema.sql as pgmigrate writes it: extensions, functions, tables, triggers, but neither the
# settings of pg_dump nor policies.  Its configuration has a header for such a setting.
my $schema = slurp_file("$dir/schema.sql");
$schema =~ s/^(SET|SELECT|COMMENT ON|CREATE POLICY|\\\w+|ALTER .*( OWNER TO|ENABLE ROW LEVEL SECURITY)) ?.*$//mg;
append_to_file("$dir/pgmigrate.sql", "SET check_function_bodies = off;\n$schema");
$node->safe_psql('postgres', 'CREATE DATABASE pgmigrate');
psql_silently('pgmigrate', '-f', "$dir/pgmigrate.sql");
my $after = verdicts('pgmigrate');
like($after, qr/^check\|rls_enabled\|error\|table\|public\.tenants\|/m, 'pgmigrate: what the schema.sql lacks is found');
my $security = qr/^(check\|rls_(?:enabled|policy)\|.*\.tenants\||ALTER TABLE tenants DISABLE ROW).*\n/m;
is($after =~ s/$security//gr, $before =~ s/$security//gr, 'pgmigrate: all other verdicts are the same');

# Where there is no such extension
my $dump = slurp_file(dump_to('plain.sql'));
$dump =~ s/\b(EXTENSION (IF NOT EXISTS )?)dbkit\b/$1dbkit_of_another_server/g;
append_to_file("$dir/elsewhere.sql", $dump);
$node->safe_psql('postgres', 'CREATE DATABASE elsewhere');
my ($stdout, $stderr) = run_command([ 'psql', '-Xq', '-d', $node->connstr('elsewhere'), '-f', "$dir/elsewhere.sql" ]);
is(join("\n", $stderr =~ /ERROR:  (.*)/g), qq{extension "dbkit_of_another_server" is not available\nextension "dbkit_of_another_server" does not exist\nschema "dbkit" does not exist},
	'without dbkit, a dump loads but for CREATE and COMMENT ON EXTENSION, and the rows of the ledger');
is($node->safe_psql('elsewhere', q{SELECT dbkit_agreement() -> 'organization_tables', (SELECT count(*) FROM tenants)}), '["tenants"]|2',
	'with the agreement, which is a plain function there, and the rows');
is($node->safe_psql('elsewhere', 'CREATE TABLE bad (at timestamp); DROP TABLE bad; CREATE EXTENSION dbkit; SELECT 1'), '1', 'where dbkit may come later');
is(verdicts('elsewhere'), $before, 'and finds what was agreed on');

# Rails has more to be told, and once it has begun there is always its own table.
my $ar = 'CREATE TABLE ar_internal_metadata (key varchar PRIMARY KEY)';
my $notice = qr/NOTICE:  the schema.rb of Rails .*\n.*HINT:  Set config.active_record.schema_format = :sql\.$/m;
for my $rails ([ 'rails_new', '', qr/$notice\z/m ], [ 'rails_old', $tables, qr/$notice\n.*NOTICE:  this database has tables already/m ])
{
	my ($db, $sql, $expected) = @$rails;
	$node->safe_psql('postgres', "CREATE DATABASE $db");
	my ($status, $out, $err) = $node->psql($db, "$ar; $sql; CREATE EXTENSION dbkit");
	like($err, $expected, "$db: CREATE EXTENSION says which schema_format to take");
}

done_testing();
