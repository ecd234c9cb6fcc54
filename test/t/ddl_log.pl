# The log of DDL commands where one session is not enough: before the library is loaded, statements
# with parameters of the protocol, prepared transactions, what decoding shows, dump and restore, a standby.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $main = PostgreSQL::Test::Cluster->new('main');
$main->init(allows_streaming => 'logical', extra => [ '--encoding=UTF8', '--locale=C' ]);
$main->append_conf('postgresql.conf', 'max_prepared_transactions = 5');
$main->start;
$main->safe_psql('postgres', 'CREATE DATABASE source');
$main->safe_psql('source', 'CREATE EXTENSION dbkit_audit CASCADE; ALTER DATABASE source SET dbkit.record_ddl = on; ALTER DATABASE source SET dbkit.enforce = off');
$main->safe_psql('source', "SELECT pg_create_logical_replication_slot('decoded', 'test_decoding')");

# What was recorded since the last call
my $seen = '-infinity';

sub recorded
{
	my $rows = $main->safe_psql('source', "SELECT command_tag, object_identity, statement FROM dbkit.ddl_log WHERE at > '$seen' ORDER BY at");
	$seen = $main->safe_psql('source', 'SELECT max(at) FROM dbkit.ddl_log');
	return $rows;
}

# The event trigger loads the library; the hook is there only then.
$main->safe_psql('source', 'CREATE TABLE first (a int)');
is(recorded(), 'CREATE TABLE|public.first|CREATE TABLE first (a int)', 'the very first statement of a session is recorded');
$main->safe_psql('source', "CREATE ROLE regress_first PASSWORD 'hunter1'");
is(recorded(), '', 'but not that of a role, which fires no event trigger');
$main->safe_psql('source', q{ALTER DATABASE source SET session_preload_libraries = 'dbkit'});
$main->safe_psql('source', "CREATE ROLE regress_second PASSWORD 'hunter2'");
like(recorded(), qr/^CREATE ROLE\|regress_second\|CREATE ROLE regress_second PASSWORD '\.\.\.'$/m, 'unless the library is preloaded');

# by the extended protocol, and prepared
my $script = PostgreSQL::Test::Utils::tempdir . '/script';
append_to_file($script, "ALTER ROLE regress_second PASSWORD 'hunter3';\n");
$main->command_ok([ 'pgbench', '-n', '-t', '1', '-M', $_, '-f', $script, 'source' ], "a password by the protocol $_")
  for qw(extended prepared);
is(recorded(), join("\n", ("ALTER ROLE|regress_second|ALTER ROLE regress_second PASSWORD '...'") x 2), 'is not in the log');
$main->safe_psql('source', "BEGIN; CREATE TABLE second (a text DEFAULT 'hunter4'); PREPARE TRANSACTION 'p'");
is(recorded(), '', 'nothing of a prepared transaction');
$main->safe_psql('source', "COMMIT PREPARED 'p'");
is($main->safe_psql('source', "SELECT statement FROM dbkit.ddl_log WHERE object_identity = 'public.second'"), "CREATE TABLE second (a text DEFAULT '...')", 'before it commits');

my $decoded = $main->safe_psql('source', "SELECT data FROM pg_logical_slot_get_changes('decoded', NULL, NULL)");
like($decoded, qr/^table dbkit\.ddl_log: INSERT: /m, 'rows of the log are decoded');
unlike($decoded, qr/hunter/, 'and have no password');
$main->safe_psql('source', "SELECT pg_drop_replication_slot('decoded')");

# a dump carries the log, a restore adds nothing where nothing is recorded
my $dump = PostgreSQL::Test::Utils::tempdir . '/dump';
$main->command_ok([ 'pg_dump', '-f', $dump, 'source' ], 'dump');
$main->safe_psql('postgres', 'CREATE DATABASE restored');
$main->command_ok([ 'psql', '-qX', '-v', 'ON_ERROR_STOP=1', '-d', 'restored', '-f', $dump ], 'restore');
my $all = 'SELECT * FROM dbkit.ddl_log ORDER BY at, object_identity';
is($main->safe_psql('restored', $all), $main->safe_psql('source', $all), 'the log is the same');

# a table of that name that a stranger made where the extension is not, with an index that would run his code
$main->safe_psql('postgres', 'CREATE DATABASE strange; CREATE ROLE regress_stranger; GRANT CREATE ON DATABASE strange TO regress_stranger');
$main->safe_psql('strange', <<~'SQL');
	SET ROLE regress_stranger;
	CREATE SCHEMA dbkit;
	CREATE FUNCTION dbkit.caught(text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$BEGIN RAISE EXCEPTION 'caught %', current_user; END$$;
	CREATE TABLE dbkit.ddl_log (at timestamptz, transaction xid8, role text, session_role text, application_name text,
		enforce text, command_tag text, object_type text, object_identity text, statement text);
	CREATE INDEX ON dbkit.ddl_log (dbkit.caught(statement));
	SQL
is($main->safe_psql('strange', q{LOAD 'dbkit'; SET dbkit.record_ddl = on; CREATE ROLE regress_third PASSWORD 'hunter5'; SELECT count(*) FROM dbkit.ddl_log}), '0', "a stranger's table of that name is not written to");

# a standby
$main->backup('copy');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($main, 'copy', has_streaming => 1);
$standby->start;
is($standby->safe_psql('source', 'ALTER SYSTEM SET work_mem = $$5MB$$; SELECT count(*) > 0 FROM dbkit.ddl_log'), 't', 'a standby shows the log, and ALTER SYSTEM is not stopped by it');

done_testing;
