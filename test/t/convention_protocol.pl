# What psql's transcript does not show: error fields, pipelines, cancelled fixes,
# and dbkit.check() beside sessions that drop and create tables.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Conforming qw(table_sql);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION dbkit');

# Run SQL and return its exit code and the verbose error.
sub run_sql
{
	my ($sql) = @_;
	my ($code, $out, $err) = $node->psql('postgres', "\\set VERBOSITY verbose\n$sql", on_error_stop => 1);
	return ($code, $err);
}

# The error fields
my ($code, $err) = run_sql(q{SET dbkit.rule_levels = 'rls_policy=off, updated_at_trigger=off';} .
	"\n" . table_sql('t', 'ttt') . ';');
is($code, 3, 'a bare table is rejected');
like($err, qr/ERROR:  KD001: table "public.t" breaks the schema convention "rls_enabled"/, 'SQLSTATE');
like($err, qr/^SCHEMA NAME:  public$/m, 'the schema');
like($err, qr/^TABLE NAME:  t$/m, 'the table');
like($err, qr/^CONSTRAINT NAME:  rls_enabled$/m, 'the rule');
unlike($err, qr/^COLUMN NAME/m, 'no column');

(undef, $err) = run_sql('BEGIN;' . table_sql('t', 'ttt') . ';' . table_sql('u', 'uuu') . ';' . 'COMMIT;');
like($err, qr/KD001: 2 objects break 4 schema conventions/, 'two objects');
unlike($err, qr/^(SCHEMA|TABLE|COLUMN) NAME/m, 'no name where there are several');

(undef, $err) = run_sql(
	q{SET dbkit.rule_levels = 'rls_policy=off, updated_at_trigger=off, rls_enabled=off';} .
	"\n" . table_sql('t', 'ttt') . ';' . "\n" . 'ALTER TABLE t ADD "Other_id" text COLLATE "C";');
like($err, qr/^COLUMN NAME:  Other_id$/m, 'the column');
like($err, qr/^CONSTRAINT NAME:  extid$/m, 'the rule of a column');
$node->safe_psql('postgres', 'DROP TABLE t');

(undef, $err) = run_sql(q{SET dbkit.rule_levels = 'security_definer_path=error';
CREATE FUNCTION f() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1';});
like($err, qr/KD001: function "public.f" breaks/, 'a function');
unlike($err, qr/^TABLE NAME/m, 'is not a table');

# The extended protocol: each statement alone, and in a pipeline, where all up to
# the end are one transaction
my $make = table_sql('t', 'ttt') . ';' . "\n" .
	'CREATE TRIGGER updated_at BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION updated_at();' . "\n" .
	'ALTER TABLE t ENABLE ROW LEVEL SECURITY;' . "\n" .
	q{CREATE POLICY own ON t USING (id <> '');} . "\n";
my $directory = PostgreSQL::Test::Utils::tempdir();

# Return what the server says: before 15.15, 16.11, 17.7 and 18.1 pgbench loses the error at
# the end of a pipeline (commit 19d4f9ffc2).
sub pgbench
{
	my ($mode, $script) = @_;
	open my $file, '>', "$directory/script" or die $!;
	print $file $script;
	close $file;
	my $start = -s $node->logfile;
	IPC::Run::run([ 'pgbench', '-n', '-t', '1', '-M', $mode, '-f', "$directory/script", '-d', $node->connstr('postgres') ],
		'>', \my $out, '2>', \my $err);
	return substr(slurp_file($node->logfile), $start);
}

for my $mode ('extended', 'prepared')
{
	like(pgbench($mode, $make), qr/table "public.t" breaks 2 schema conventions/, "$mode: the first statement alone");
	is($node->safe_psql('postgres', q{SELECT count(*) FROM pg_class WHERE relname = 't'}), '0', "$mode: nothing is left");
	my $all = "\\startpipeline\n$make\\endpipeline\n";
	unlike(pgbench($mode, $all), qr/ERROR/, "$mode: all in a pipeline");
	is($node->safe_psql('postgres', 'SELECT count(*) FROM dbkit.check()'), '0', "$mode: conform");
	like(pgbench($mode, "\\startpipeline\nALTER TABLE t DISABLE ROW LEVEL SECURITY;\nSELECT 1;\n\\endpipeline\n"),
		qr/convention "rls_enabled"/, "$mode: the end of a pipeline is a commit");
	$node->safe_psql('postgres', 'DROP TABLE t');
}

# psql -c 'a; b' is one transaction
ok(IPC::Run::run([ 'psql', '-Xq', '-d', $node->connstr('postgres'), '-c', $make ]), 'several statements in one query');
$node->safe_psql('postgres', 'DROP TABLE t');

# A fix that waits can be cancelled, and says what it is
$node->safe_psql('postgres', 'SET dbkit.enforce = off; CREATE DOMAIN moment AS timestamptz NOT NULL DEFAULT now();' .
	'CREATE TABLE c (id text COLLATE "C" PRIMARY KEY, created_at moment);');
my $holder = $node->background_psql('postgres', on_error_stop => 0);
$holder->query_safe('BEGIN; LOCK TABLE c IN ROW EXCLUSIVE MODE;');
my $fix = "SET dbkit.rule_levels = 'created_at=fix';";
(undef, $err) = run_sql("$fix\nSET lock_timeout = '100ms';\nALTER DOMAIN moment DROP DEFAULT;");
like($err, qr/ERROR:  55P03: canceling statement due to lock timeout/, 'a lock timeout keeps its SQLSTATE');
like($err, qr/CONTEXT:.*fix for the schema convention "created_at" of "public.c"/s, 'and tells of the fix');
my $waiter = $node->background_psql('postgres', on_error_stop => 0);
$waiter->query_until(qr/started/, "$fix\n\\set VERBOSITY verbose\n\\echo started\nALTER DOMAIN moment DROP DEFAULT;\n");
$node->poll_query_until('postgres', q{SELECT bool_or(pg_cancel_backend(pid)) FROM pg_stat_activity
	WHERE query LIKE 'ALTER DOMAIN%' AND wait_event_type = 'Lock'}) or die 'the fix does not wait';
$waiter->query_until(qr/still here/, "\\echo still here\n");
like($waiter->{stderr}, qr/ERROR:  57014: canceling statement due to user request/, 'so does a cancelled fix');
$waiter->quit;
$holder->query_safe('ROLLBACK;');
($code, $err) = run_sql("$fix\nALTER DOMAIN moment DROP DEFAULT;");
is($code, 0, 'and then it works');
$holder->quit;
$node->safe_psql('postgres', 'DROP TABLE c; DROP DOMAIN moment');

# dbkit.check() and CREATE INDEX CONCURRENTLY beside sessions that drop what they look at
$node->safe_psql('postgres', 'CREATE DATABASE race');
$node->safe_psql('race', 'CREATE EXTENSION dbkit; SET dbkit.enforce = off; CREATE TABLE parent (id text PRIMARY KEY); ALTER DATABASE race SET dbkit.rule_levels = $$bigint=warning$$');
my @running;
for my $n (1 .. 3)
{
	open my $file, '>', "$directory/race$n" or die $!;
	print $file "SET dbkit.enforce = off;\nSET client_min_messages = error;\nDROP TABLE IF EXISTS s$n CASCADE;\n" .
		"CREATE TABLE s$n (id text PRIMARY KEY, a int, b text, s serial, p_id text REFERENCES parent (id));\n" .
		"CREATE INDEX i$n ON s$n (a);\nCREATE INDEX j$n ON s$n (a, b);\nRESET dbkit.enforce;\n" .
		"CREATE INDEX CONCURRENTLY k$n ON s$n (a);\nDROP INDEX i$n;\nDROP INDEX CONCURRENTLY k$n;\n" if $n < 3;
	print $file "SELECT count(*) FROM dbkit.check();\n" if $n == 3;
	close $file;
	push @running, IPC::Run::start([ 'pgbench', '-n', '-T', 5, '-c', $n == 3 ? 4 : 1, '-f', "$directory/race$n", '-d', $node->connstr('race') ],
		'>', "$directory/out$n", '2>', "$directory/err$n");
}
$_->finish for @running;
unlike(slurp_file("$directory/err3"), qr/ERROR|abort|terminat/i, 'dbkit.check() does not mind what is dropped');
unlike(slurp_file($node->logfile), qr/was terminated by signal/, 'and nothing crashes');

# dbkit.check() says how far it is
$node->safe_psql('postgres', 'CREATE DATABASE large');
$node->safe_psql('large', 'CREATE EXTENSION dbkit');
$node->safe_psql('large', q{DO $$ BEGIN FOR i IN 1..1001 LOOP
	EXECUTE format('CREATE VIEW v%s WITH (security_invoker = true) AS SELECT 1 AS one', i); END LOOP; END $$});
(undef, undef, $err) = $node->psql('large', 'SET client_min_messages = debug1; SELECT count(*) FROM dbkit.check()');
like($err, qr/^psql:\S+ DEBUG:  dbkit judged 1000 of \d+ objects$/m, 'dbkit.check() reports its progress');

$node->stop;
done_testing();
