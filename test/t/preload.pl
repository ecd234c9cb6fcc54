# dbkit as a preloaded library: its settings are there at once, and all works as
# without.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
# A database has an encoding, and a name that is too long is cut before a letter of it
my $users = 'u' x 62;
$node->append_conf('postgresql.conf', "dbkit.large_table_size = '5GB'\ndbkit.rule_levels = 'storytime=warning'\ndbkit.required_rules = 'extid=error'");
$node->start;

# Give a session's output and errors.
sub says
{
	my ($db, $sql) = @_;
	my ($status, $stdout, $stderr) = $node->psql($db, "\\set VERBOSITY terse\n$sql");
	return join "\n", grep { length } $stdout, $stderr =~ s/^psql:<stdin>:\d+: //mgr;
}

# What every session is to do, with the extension and a table t or without
sub works
{
	my ($how) = @_;

	is(says('postgres', 'SHOW dbkit.enforce; SHOW dbkit.rule_levels; SHOW dbkit.large_table_size'),
		"on\nstorytime=warning\n5GB", "$how: the settings are there at once");
	like(says('postgres', q{SET dbkit.rule_levels = 'bigint=nothing'}), qr/invalid value for parameter/, "$how: and their values are checked");
	like(says('postgres', 'SET dbkit.no_such = off'), qr/ERROR:  invalid configuration parameter name/, "$how: and their names");
	like(says('postgres', 'CREATE TABLE bad (n int)'), qr/^ERROR:  table "public.bad" breaks \d schema conventions: /m,
		"$how: the conventions are enforced");
	like(says('postgres', q{SET dbkit.rule_levels = 'extid=off'; SELECT level FROM dbkit.rules WHERE id = 'extid'}), qr/^error$/m,
		"$how: what the configuration requires cannot be lowered");
	like(says('postgres', q{SET dbkit.required_rules = ''}), qr/ERROR:  parameter "dbkit.required_rules" cannot be changed now/, "$how: but there");
	is(says('postgres', 'SET dbkit.enforce = off; CREATE TABLE bad (n int); SELECT count(*) > 1 FROM dbkit.check($$bad$$); DROP TABLE bad'),
		't', "$how: unless they are off");
	is(says('template1', 'CREATE TABLE free (n int); DROP TABLE free; SHOW dbkit.enforce'), 'on',
		"$how: a database without the extension has no conventions");
	is(says('postgres', q{
		SET dbkit.enforce = off; SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0;
		CREATE TABLE made AS SELECT 1 AS n FROM generate_series(1, 1000);
		SELECT count(DISTINCT id) FROM (SELECT generate_id('par') AS id FROM made) AS ids;
		DROP TABLE made}), '1000', "$how: parallel workers run");
	is(says('unicode', qq{
		SET dbkit.enforce = off;
		CREATE TABLE $users (id text PRIMARY KEY);
		CREATE TABLE refers (user_id text REFERENCES $users);
		SELECT count(*) FROM dbkit.check('refers') WHERE rule = 'fk_on_delete';
		DROP TABLE refers, $users}), '1', "$how: names in the agreement are read as the database reads them");
	my @ids = map { says('postgres', "SELECT generate_id('pre')") } 1 .. 5;
	my %tails = map { substr($_, -8) => 1 } @ids;
	is(scalar keys %tails, 5, "$how: sessions do not share random numbers");
}

$node->safe_psql('postgres', 'CREATE EXTENSION dbkit');
$node->safe_psql('postgres', q{CREATE DATABASE unicode ENCODING 'UTF8' LOCALE 'C' TEMPLATE template0});
$node->safe_psql('unicode', qq{CREATE EXTENSION dbkit; SELECT dbkit.agree('{"user_tables": ["$users\xc3\xa9"]}')});
for my $setting (qw(session_preload_libraries shared_preload_libraries))
{
	$node->append_conf('postgresql.conf', "$setting = 'dbkit'");
	$node->restart;
	works($setting);
	$node->append_conf('postgresql.conf', "$setting = ''");
}

# Other libraries before it go on working
SKIP:
{
	skip 'there is no pg_stat_statements', 1
	  if says('postgres', q{SELECT count(*) FROM pg_available_extensions WHERE name = 'pg_stat_statements'}) eq '0';
	$node->append_conf('postgresql.conf', "shared_preload_libraries = 'pg_stat_statements, dbkit'");
	$node->restart;
	works('after pg_stat_statements');
	is(says('postgres', q{CREATE EXTENSION pg_stat_statements; SELECT dbkit.try_lock('it'); SELECT count(*) FROM pg_stat_statements WHERE query LIKE 'SELECT dbkit.try_lock(%'}),
		"t\n1", 'which counts what runs');
	$node->append_conf('postgresql.conf', "shared_preload_libraries = ''");
}

# A role that may not set them gets them from nowhere else
$node->append_conf('postgresql.conf', "session_preload_libraries = 'dbkit'");
$node->restart;
$node->safe_psql('postgres', 'CREATE ROLE regress_user LOGIN; GRANT CREATE ON SCHEMA public TO regress_user');
$ENV{PGOPTIONS} = '-c dbkit.enforce=off';
$ENV{PGUSER} = 'regress_user';
like(says('postgres', 'CREATE TABLE bad (n int)'), qr/breaks \d schema conventions|permission denied to set parameter "dbkit.enforce"/,
	'an unprivileged role cannot switch enforcement off when it connects');
like(says('postgres', 'SET dbkit.enforce = off'), qr/permission denied to set parameter "dbkit.enforce"/, 'nor later');

done_testing();
