# Locks that others wait for, and that are held until COMMIT: what is said of them, who
# waits, and what is forgotten when it is released.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', q{
max_prepared_transactions = 2
dbkit.large_table_size = '8kB'
dbkit.rule_levels = '*=off, lock_held=warning'
dbkit.max_lock_time = '20ms'
});
$node->start;
$node->safe_psql('postgres', q{
	CREATE EXTENSION dbkit;
	CREATE TABLE big (a bigint PRIMARY KEY, b bigint);
	INSERT INTO big SELECT n, n FROM generate_series(1, 1000) n;
	CREATE TABLE other AS SELECT * FROM big;
	CREATE TABLE small (a bigint);
	CREATE TABLE measure (a bigint, b bigint) PARTITION BY RANGE (a);
	CREATE TABLE measure_1 PARTITION OF measure FOR VALUES FROM (0) TO (10);
	CREATE TABLE measure_2 PARTITION OF measure FOR VALUES FROM (10) TO (10000);
	INSERT INTO measure SELECT n, n FROM generate_series(1, 1000) n;
	CREATE MATERIALIZED VIEW seen AS SELECT * FROM big;
	CREATE FUNCTION slow(n bigint) RETURNS bigint LANGUAGE plpgsql IMMUTABLE AS $$
		BEGIN PERFORM pg_sleep(CASE WHEN n = 1 THEN 0.05 ELSE 0 END); RETURN n; END $$});

# Run SQL in a session of its own and return what it was warned of.  Where the library is not
# loaded before, PostgreSQL does not know it when the first statement begins.
sub warnings
{
	my ($sql, $loaded) = @_;
	my (undef, undef, $err) = $node->psql('postgres', ($loaded // 1 ? 'SELECT dbkit.lock_key(\'x\');' : '') . $sql, on_error_stop => 0);
	return join "\n", map { s/^psql:<stdin>:\d+: //r } grep { /WARNING|ERROR/ } split /\n/, $err;
}

sub held
{
	my ($table, $lock, $out, $statement, $end) = @_;
	return qr/^WARNING:  $table breaks the schema convention "lock_held": $lock kept $out out for \d+ ms, from "\Q$statement\E" to \Q$end\E; do nothing slow while such a lock is held$/;
}

my $slow = 'SELECT pg_sleep(0.05)';
my @both = ('ACCESS EXCLUSIVE', 'readers and writers');

# What is held, in a block, by one statement, and by what is inside another one
like(warnings("BEGIN; ALTER TABLE big ADD c text; $slow; COMMIT"), held('table "public.big"', @both, 'ALTER TABLE big ADD c text', 'COMMIT'), 'a block');
like(warnings("BEGIN; ALTER TABLE big ADD d text; $slow; PREPARE TRANSACTION 'p'"),
	held('table "public.big"', @both, 'ALTER TABLE big ADD d text', 'PREPARE TRANSACTION, and will until COMMIT PREPARED'), 'a prepared transaction');
is(warnings("COMMIT PREPARED 'p'"), '', 'which says nothing when it is committed');
like(warnings("BEGIN; LOCK TABLE big IN SHARE MODE; $slow; COMMIT"), held('table "public.big"', 'SHARE', 'writers', 'LOCK TABLE big IN SHARE MODE', 'COMMIT'), 'a weaker lock');
like(warnings("BEGIN; LOCK TABLE big IN SHARE ROW EXCLUSIVE MODE; $slow; LOCK big; $slow; COMMIT"), held('table "public.big"', @both, 'LOCK big', 'COMMIT'), 'and a stronger one');
like(warnings(q{DO $$ BEGIN ALTER TABLE big DROP c; PERFORM pg_sleep(0.05); END $$}), held('table "public.big"', @both, 'ALTER TABLE big DROP c', 'COMMIT'), 'a DO block');
like(warnings(q{CREATE PROCEDURE p() LANGUAGE plpgsql AS $$ BEGIN ALTER TABLE big DROP d; PERFORM pg_sleep(0.05); COMMIT; END $$; CALL p()}),
	held('table "public.big"', @both, 'ALTER TABLE big DROP d', 'COMMIT'), 'a procedure that commits');
like(warnings("BEGIN; CREATE TRIGGER t\n\tBEFORE UPDATE ON big\n\tFOR EACH ROW EXECUTE FUNCTION updated_at() ;$slow; COMMIT"),
	held('table "public.big"', 'SHARE ROW EXCLUSIVE', 'writers', 'CREATE TRIGGER t BEFORE UPDATE ON big FOR EACH ROW EXECUTE FUNCTION updated_at()', 'COMMIT'), 'a statement of several lines');
like(warnings(q{BEGIN; ALTER TABLE big ADD CHECK (b > 0), ADD CONSTRAINT "} . ('ö' x 60) . qq{" CHECK (b > 0); $slow; ROLLBACK}), qr/^$/, 'a rollback says nothing');
like(warnings(q{BEGIN; ALTER TABLE big ADD CHECK (b > 0), ADD CONSTRAINT "} . ('ö' x 60) . qq{" CHECK (b > 0); $slow; COMMIT}),
	qr/from "ALTER TABLE big ADD CHECK \(b > 0\), ADD CONSTRAINT "(?:ö){33,35}\.\.\." to COMMIT/, 'a long statement is cut, and no character of it');

# What is slow in the statement itself: the lock is seen before that
$node->safe_psql('postgres', 'DROP TRIGGER t ON big; ALTER TABLE big ADD x bigint');
for my $sql ('CREATE INDEX ON big (slow(a))', 'ALTER TABLE big ADD CHECK (slow(a) > 0)', 'CLUSTER big USING big_slow_idx', 'VACUUM FULL big', 'REINDEX TABLE big',
	'REINDEX (VERBOSE off) TABLE big', 'ALTER TABLE big ALTER x TYPE text USING slow(a)::text')
{
	my ($lock, $out) = $sql =~ /INDEX ON|REINDEX/ ? ('SHARE', 'writers') : @both;
	like(warnings($sql), held('table "public.big"', $lock, $out, $sql, 'COMMIT'), $sql);
}
like(join("\n", grep { /"public\.big"/ } split /\n/, warnings('REINDEX DATABASE postgres')), held('table "public.big"', 'SHARE', 'writers', 'REINDEX DATABASE postgres', 'COMMIT'), 'one of the transactions of REINDEX DATABASE');
$node->safe_psql('postgres', 'DROP INDEX big_slow_idx; ALTER TABLE big DROP CONSTRAINT big_a_check');

# Tables as they were before the transaction
like(warnings("BEGIN; TRUNCATE other; $slow; COMMIT"), held('table "public.other"', @both, 'TRUNCATE other', 'COMMIT'), 'a table that is emptied');
$node->safe_psql('postgres', 'INSERT INTO other SELECT a, b FROM big');
like(warnings("BEGIN; DROP TABLE other; $slow; COMMIT"), held('table "public.other"', @both, 'DROP TABLE other', 'COMMIT'), 'a table that is dropped');
like(warnings("BEGIN; ALTER TABLE big RENAME TO huge; $slow; COMMIT"), held('table "public.huge"', @both, 'ALTER TABLE big RENAME TO huge', 'COMMIT'), 'a table that is renamed');
is(warnings("BEGIN; ALTER TABLE small ADD c text; $slow; COMMIT"), '', 'a small table');
is(warnings("BEGIN; CREATE TABLE made AS SELECT * FROM huge; CREATE INDEX ON made (a); $slow; COMMIT"), '', 'a new table');
is(warnings("CREATE TEMP TABLE made AS SELECT * FROM huge; BEGIN; CREATE INDEX ON made (a); $slow; COMMIT"), '', 'a temporary table');
is(warnings("BEGIN; LOCK TABLE huge IN SHARE UPDATE EXCLUSIVE MODE; UPDATE huge SET b = b; $slow; COMMIT"), '', 'a lock that blocks nobody');
like(warnings("BEGIN; REFRESH MATERIALIZED VIEW seen; $slow; COMMIT"), held('materialized view "public.seen"', @both, 'REFRESH MATERIALIZED VIEW seen', 'COMMIT'), 'a materialized view');
$node->safe_psql('postgres', 'ALTER TABLE huge RENAME TO big');

# Partitions count as a whole
like(warnings("BEGIN; LOCK TABLE measure_1; $slow; COMMIT"), held('table "public.measure"', 'ACCESS EXCLUSIVE on partition "public.measure_1"', $both[1], 'LOCK TABLE measure_1', 'COMMIT'), 'a partition');
like(warnings("BEGIN; ALTER TABLE measure ADD c text; LOCK TABLE measure_1, measure_2; $slow; COMMIT"),
	held('table "public.measure"', @both, 'ALTER TABLE measure ADD c text', 'COMMIT'), 'a partitioned table');
like(warnings("BEGIN; LOCK TABLE big, measure; $slow; COMMIT"), qr/^WARNING:  2 objects break 2 schema conventions: lock_held \(2 times\)$/, 'two tables');

# Savepoints: what is rolled back is released; what is kept goes on
is(warnings("BEGIN; SAVEPOINT s; LOCK TABLE big; $slow; ROLLBACK TO s; COMMIT"), '', 'a savepoint that is rolled back');
is(warnings("SET dbkit.max_lock_time = '1s'; BEGIN; SAVEPOINT s; LOCK TABLE big; SELECT pg_sleep(1.1); ROLLBACK TO s; LOCK TABLE big; COMMIT"), '', 'and is locked again');
like(warnings("BEGIN; SAVEPOINT s; SAVEPOINT t; LOCK TABLE big; RELEASE t; RELEASE s; $slow; COMMIT"), held('table "public.big"', @both, 'LOCK TABLE big', 'COMMIT'), 'one that is released');
like(warnings("BEGIN; SAVEPOINT s; LOCK TABLE big; $slow; COMMIT"), held('table "public.big"', @both, 'LOCK TABLE big', 'COMMIT'), 'one that is open');
like(warnings("BEGIN; LOCK TABLE big IN SHARE MODE; SAVEPOINT s; LOCK TABLE big; $slow; ROLLBACK TO s; COMMIT"),
	held('table "public.big"', 'SHARE', 'writers', 'LOCK TABLE big IN SHARE MODE', 'COMMIT'), 'the lock from before it stays');
is(warnings(q{DO $$ BEGIN LOCK TABLE big; PERFORM pg_sleep(0.05); RAISE 'x'; EXCEPTION WHEN OTHERS THEN NULL; END $$}), '', 'an exception');
like(warnings(q{DO $$ BEGIN BEGIN DROP TABLE nowhere; EXCEPTION WHEN OTHERS THEN NULL; END; LOCK TABLE big; PERFORM pg_sleep(0.05); END $$}),
	held('table "public.big"', @both, 'LOCK TABLE big', 'COMMIT'), 'after an exception');

# Levels, exemptions, what is not judged
is(warnings("BEGIN; SET LOCAL dbkit.rule_levels = '*=off, lock_held=off'; LOCK TABLE big; $slow; COMMIT"), '', 'off');
is(warnings("BEGIN; SET LOCAL dbkit.enforce = off; LOCK TABLE big; $slow; COMMIT"), '', 'enforcement off');
is(warnings("BEGIN; SET LOCAL check_function_bodies = off; LOCK TABLE big; $slow; COMMIT"), '', 'a restore');
is(warnings("SET session_replication_role = replica; BEGIN; LOCK TABLE big; $slow; COMMIT"), '', 'a replica');
is(warnings("SET dbkit.large_table_size = '1GB'; BEGIN; LOCK TABLE big; $slow; COMMIT"), '', 'none is that large');
is(warnings("SET dbkit.max_lock_time = '1min'; BEGIN; LOCK TABLE big; $slow; COMMIT"), '', 'not for that long');
is(warnings("SELECT dbkit.exempt('public.big', 'lock_held', 'at night'); BEGIN; LOCK TABLE big; $slow; COMMIT; SELECT dbkit.unexempt('public.big', 'lock_held')"), '', 'an exemption');
like(warnings(q{SET dbkit.rule_levels = '*=off, lock_held=warning, table_comment=error'; BEGIN; LOCK TABLE big; CREATE TABLE refused (a bigint); SELECT pg_sleep(0.05); COMMIT}),
	qr/^ERROR:  table "public.refused" breaks[^\n]*$/, 'a refused COMMIT is a rollback');
$node->safe_psql('postgres', 'CREATE DATABASE without');
is(($node->psql('without', q{LOAD 'dbkit'; CREATE TABLE t AS SELECT generate_series(1, 10000); BEGIN; LOCK TABLE t; SELECT pg_sleep(0.05); COMMIT}))[2], '', 'a database without the extension');

# The first statement of a session that has not loaded the library: where it fires event
# triggers, those bring it; else nobody sees the lock
like(warnings("BEGIN; ALTER TABLE big ADD e text; $slow; COMMIT", 0), held('table "public.big"', @both, 'ALTER TABLE big ADD e text', 'COMMIT'), 'the first statement');
is(warnings("BEGIN; LOCK TABLE big; $slow; COMMIT", 0), '', 'LOCK TABLE as the first statement');

# and the rule lock_timeout speaks before it waits
$node->safe_psql('postgres', q{ALTER DATABASE postgres SET dbkit.rule_levels = '*=off, lock_timeout=warning'});
like(warnings('ALTER TABLE big ADD h text', 0), qr/^WARNING:  table "public.big" breaks the schema convention "lock_timeout"/, 'lock_timeout in the first statement');
like(warnings('CREATE TABLE new (a bigint REFERENCES big)', 0), qr/^WARNING:[^\n]* "lock_timeout"[^\n]*$/, 'which is judged once');
$node->safe_psql('postgres', 'ALTER DATABASE postgres RESET dbkit.rule_levels');

# Who waits
my $holder = $node->background_psql('postgres', on_error_stop => 0);
$holder->query_safe("SELECT dbkit.lock_key('x'); BEGIN; LOCK TABLE big IN SHARE MODE");
my @waiting = map { $node->background_psql('postgres') } 1 .. 4;
for my $i (0 .. 3)
{
	$waiting[$i]->query_safe("SET application_name = 'worker $i'");
	$waiting[$i]->query_until(qr/waits/, "\\echo waits\nDELETE FROM big WHERE a = 1;\n");
	$node->poll_query_until('postgres', "SELECT count(*) > $i FROM pg_locks WHERE NOT granted");
}
my $reader = $node->safe_psql('postgres', 'SELECT count(*) FROM big');
is($reader, 1000, 'readers go on');
$holder->query('COMMIT');
my $said = $holder->{stderr};
like($said, qr/to COMMIT; waiting now: backend \d+ \("worker 0"\), backend \d+ \("worker 1"\), backend \d+ \("worker 2"\) and 1 more; do nothing slow/, 'who waits');
$_->quit for @waiting, $holder;

# A thousand tables: what is locked is looked at less often, and found nevertheless
my $many = join ';', map { "CREATE TABLE many_$_ (a bigint PRIMARY KEY)" } 1 .. 400;
like(warnings("BEGIN; $many; LOCK TABLE measure; " . join(';', map { "COMMENT ON TABLE many_$_ IS 'x'" } 1 .. 10) . "; $slow; COMMIT"),
	qr/^WARNING:  table "public.measure" breaks the schema convention "lock_held": ACCESS EXCLUSIVE kept/m, 'among many');

$node->stop;
done_testing();
