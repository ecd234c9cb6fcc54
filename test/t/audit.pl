# The log of changes where one server is not enough: prepared transactions, dump and restore, logical
# replication on both sides, logical decoding, and the first moment of a month.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $main = PostgreSQL::Test::Cluster->new('main');
$main->init(allows_streaming => 'logical', extra => [ '--encoding=UTF8', '--locale=C' ]);
$main->append_conf('postgresql.conf', "max_prepared_transactions = 5\nlisten_addresses = '127.0.0.1'");
$main->start;
my $other = PostgreSQL::Test::Cluster->new('other');
$other->init(allows_streaming => 'logical', extra => [ '--encoding=UTF8', '--locale=C' ]);
$other->start;

my $tables = q{
	SET dbkit.enforce = off;
	CREATE TABLE notes (id text PRIMARY KEY, body text, secret text);
	CREATE TABLE parts (id int PRIMARY KEY, body text) PARTITION BY RANGE (id);
	CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (0) TO (10);
	CREATE TABLE parts_2 PARTITION OF parts FOR VALUES FROM (10) TO (20);
};
my $audit = q{SET dbkit.enforce = off; SELECT dbkit.audit('notes', '{secret}'); SELECT dbkit.audit('parts')};

# What the log of a database has, but for the marks.
sub entries
{
	my ($node, $db, $where) = @_;
	return $node->safe_psql($db, "SELECT operation, relation, row_id, old_values, new_values FROM dbkit.audit_log WHERE row_id IS NOT NULL AND $where ORDER BY at, id");
}

sub problems
{
	my ($node, $db, $hash) = @_;
	return $node->safe_psql($db, "SELECT problem, seal, id FROM dbkit.audit_check(" . (defined $hash ? "'$hash'" : 'NULL') . ')');
}

# Wait until a statement that begins like this waits for a lock.
sub wait_for_lock
{
	my ($statement) = @_;
	$main->poll_query_until('source', "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%$statement%')")
		or die "\"$statement\" does not wait";
	return;
}

$main->safe_psql('postgres', 'CREATE DATABASE source');
$main->safe_psql('source', "CREATE EXTENSION dbkit; CREATE EXTENSION dbkit_audit; $tables");
$main->safe_psql('source', $audit);

# where a change came from -----------------------------------------------------

my $by_address = "host=127.0.0.1 port=${\ $main->port } dbname=source application_name=afar";
ok(run_log([ 'psql', '-Xqd', $by_address, '-c', "INSERT INTO notes VALUES ('from afar', 'a', 'b')" ]), 'a change by a client with an address');
$main->safe_psql('source', "DELETE FROM notes WHERE id = 'from afar'");
is($main->safe_psql('source', "SELECT operation, client_address, application_name FROM dbkit.audit_log WHERE row_id = 'from afar' ORDER BY at"),
	"INSERT|127.0.0.1|afar\nDELETE||audit.pl", 'the log has the address, and none for a socket');

# prepared transactions -------------------------------------------------------

$main->safe_psql('source', "BEGIN; INSERT INTO notes VALUES ('prepared', 'a', 'b'); PREPARE TRANSACTION 'p'");
$main->safe_psql('source', "BEGIN; INSERT INTO notes VALUES ('taken back', 'a', 'b'); PREPARE TRANSACTION 'q'");
$main->safe_psql('source', "INSERT INTO notes VALUES ('later', 'a', 'b')");
$main->safe_psql('source', 'CALL dbkit.audit_seal()');
$main->restart;
$main->safe_psql('source', "COMMIT PREPARED 'p'");
$main->safe_psql('source', "ROLLBACK PREPARED 'q'");
is($main->safe_psql('source', 'SELECT row_id FROM dbkit.audit_unsealed'), 'prepared', 'a transaction that was prepared is covered when it has ended');
is(problems($main, 'source'), '', 'and is not taken for one that was slipped in');
my $hash = $main->safe_psql('source', 'CALL dbkit.audit_seal()');
is($main->safe_psql('source', 'SELECT count(*) FROM dbkit.audit_unsealed'), '0', 'the next seal covers it');
is(problems($main, 'source', $hash), '', 'and all is well');

# dump and restore --------------------------------------------------------------

$main->safe_psql('source', "INSERT INTO parts VALUES (1, 'x'), (11, 'y'); UPDATE notes SET body = 'not sealed' WHERE id = 'later'");
my $dump = $main->basedir . '/dump';
$main->command_ok([ 'pg_dump', '-Fc', '-f', $dump, '-d', $main->connstr('source') ], 'the database is dumped');
for my $node ($main, $other)
{
	my $name = $node->name;
	$node->safe_psql('postgres', 'CREATE DATABASE restored');
	$node->command_ok([ 'pg_restore', '--exit-on-error', '-d', $node->connstr('restored'), $dump ], "and restored on $name");
	is(entries($node, 'restored', 'true'), entries($main, 'source', 'true'), 'the log is the same');
	is(problems($node, 'restored', $hash), '', 'and proved');
	is($node->safe_psql('restored', 'SELECT count(*) FROM dbkit.audit_unsealed'), '3', 'what was not sealed still is not');
	is($node->safe_psql('restored', "SELECT count(*) FROM pg_trigger WHERE tgname ~ '^dbkit_audit_' AND tgenabled IN ('R', 'D')"), '4', 'triggers came as they were');
	$node->safe_psql('restored', "UPDATE notes SET body = 'restored', secret = 'new' WHERE id = 'later'");
	like(entries($node, 'restored', "row_id = 'later'"), qr/UPDATE\|notes\|later\|\{"body": "not sealed", "secret": \{"__sentinel": "masked"\}\}\|\{"body": "restored", "secret": \{"__sentinel": "masked"\}\}$/, 'changes are written there, too');
	is($node->safe_psql('restored', 'SELECT count(*) FROM dbkit.audit_unsealed'), '4', 'and wait for a seal');
	my $next = $node->safe_psql('restored', 'CALL dbkit.audit_seal()');
	is($node->safe_psql('restored', 'SELECT count(*) FROM dbkit.audit_unsealed'), '0', 'the next seal covers both');
	is(problems($node, 'restored', $_), '', 'all is well') for $hash, $next;
	is($node->safe_psql('restored', "SELECT (dbkit.as_of(NULL::notes, 'later', at)).body FROM dbkit.audit_log WHERE row_id = 'later' AND operation = 'INSERT'"), 'a', 'rows are known as they were');
}

# logical replication ---------------------------------------------------------------

$other->safe_psql('postgres', 'CREATE DATABASE copy');
$other->safe_psql('copy', "CREATE EXTENSION dbkit; CREATE EXTENSION dbkit_audit; $tables");
$other->safe_psql('copy', $audit);
my $published = $main->connstr('source') =~ s/'/''/gr;
my $before = entries($main, 'source', 'true');
$main->safe_psql('source', 'CREATE PUBLICATION everything FOR ALL TABLES');
$other->safe_psql('copy', "CREATE SUBSCRIPTION everything CONNECTION '$published' PUBLICATION everything");
$other->wait_for_subscription_sync($main, 'everything', 'copy');
is(entries($other, 'copy', "operation <> 'INSERT'"), '', 'the first copy of the rows is one of INSERTs');
is($other->safe_psql('copy', "SELECT string_agg(row_id, ' ' ORDER BY row_id) FROM dbkit.audit_log WHERE operation = 'INSERT'"), '1 11 later prepared', 'of each row, and the log of the publisher is not copied');
$main->safe_psql('source', "UPDATE notes SET body = 'again', secret = 'planted-secret'; DELETE FROM notes WHERE id = 'prepared'; UPDATE parts SET body = 'z' WHERE id = 11");
$main->wait_for_catchup('everything');
is(entries($other, 'copy', "operation <> 'INSERT'"),
	join("\n", 'UPDATE|notes|prepared|{"body": "a", "secret": {"__sentinel": "masked"}}|{"body": "again", "secret": {"__sentinel": "masked"}}',
		'UPDATE|notes|later|{"body": "not sealed", "secret": {"__sentinel": "masked"}}|{"body": "again", "secret": {"__sentinel": "masked"}}',
		'DELETE|notes|prepared|{"id": "prepared", "body": "again", "secret": {"__sentinel": "masked"}}|',
		'UPDATE|parts|11|{"body": "y"}|{"body": "z"}'), 'what the subscriber applies is in its log');
$main->safe_psql('source', "SELECT dbkit.audit_erase('later', 'asked to')");
$main->safe_psql('source', 'CALL dbkit.audit_seal()');
$other->safe_psql('copy', 'CALL dbkit.audit_seal()');
$main->wait_for_catchup('everything');
is(problems($other, 'copy'), '', 'the subscriber has seals of its own');
is(problems($main, 'source'), '', 'the log of a publisher can be sealed and erased');
$other->safe_psql('copy', 'DROP SUBSCRIPTION everything');

# masked values in the WAL --------------------------------------------------------------

$main->safe_psql('source', "SELECT pg_create_logical_replication_slot('decoded', 'test_decoding')");
$main->safe_psql('source', "UPDATE notes SET secret = 'planted-secret-2'; INSERT INTO notes VALUES ('n', 'b', 'planted-secret-3'); DELETE FROM notes");
my $decoded = $main->safe_psql('source', "SELECT data FROM pg_logical_slot_get_changes('decoded', NULL, NULL)");
like($decoded, qr/table public.notes: .*planted-secret/, 'what is decoded of the table has the secret');
unlike($decoded, qr/table dbkit\.[^\n]*planted-secret/, 'what is decoded of the log has not');
like($decoded, qr/table dbkit\.audit_log_\d{4}_\d\d: INSERT/, 'though it is decoded');
is($main->safe_psql('source', "SELECT count(*) FROM dbkit.audit_log l WHERE l::text ~ 'planted-secret'"), '0', 'nor has the log');
$main->safe_psql('source', "SELECT pg_drop_replication_slot('decoded')");

# months ----------------------------------------------------------------------------------

my $last = $main->safe_psql('source', q{SELECT max(inhrelid::regclass::text) FROM pg_inherits WHERE inhparent = 'dbkit.audit_log'::regclass AND inhrelid::regclass::text ~ '[0-9]$'});
$main->safe_psql('source', "DROP TABLE $last");
my $session = $main->background_psql('source');
$session->query_safe("BEGIN; INSERT INTO notes VALUES ('open', 'a', 'b')");
is($main->safe_psql('source', q{SET lock_timeout = '5s'; SELECT dbkit.audit_months()}), '', 'months are made while somebody writes');
is($main->safe_psql('source', "SELECT to_regclass('$last') IS NOT NULL"), 't', 'the one that was missing');
$session->query_safe('COMMIT');
$session->quit;

# Whoever finds no month waits for the default partition, while another makes the month.
my $month = $main->safe_psql('source', q{SELECT tableoid::regclass FROM dbkit.audit_log ORDER BY at DESC LIMIT 1});
$main->safe_psql('source', "SET dbkit.enforce = off; CREATE TABLE detached AS TABLE $month; ALTER TABLE dbkit.audit_log DETACH PARTITION $month; DROP TABLE $month");
my $maker = $main->background_psql('source');
my $writer = $main->background_psql('source');
$maker->query_safe('BEGIN; SELECT dbkit.audit_months()');
$writer->query_until(qr/writes/, "\\echo writes\nINSERT INTO notes VALUES ('waited', 'a', 'b');\n");
wait_for_lock('INSERT INTO notes');
$maker->query_safe('COMMIT');
$writer->query_safe('SELECT 1');
is($main->safe_psql('source', q{SELECT tableoid::regclass FROM dbkit.audit_log WHERE row_id = 'waited'}), $month, 'an entry is written to a month that was made meanwhile');
$main->safe_psql('source', 'INSERT INTO dbkit.audit_log TABLE detached; DROP TABLE detached');

# transactions that go on -----------------------------------------------------------------

# Of the transactions that are open, one began before that of the seal, and one after it.
my ($earlier, $sealer, $later) = map { $main->background_psql('source') } 1 .. 3;
for ([ $earlier, 'earlier' ], [ $sealer, 'sealer' ], [ $later, 'later' ])
{
	my ($one, $name) = @$_;
	$one->query_safe("BEGIN; INSERT INTO notes VALUES ('$name 1', 'a', 'b')");
}
$main->safe_psql('source', "INSERT INTO notes VALUES ('ended', 'a', 'b')");
$sealer->query_safe("SAVEPOINT s; INSERT INTO notes VALUES ('sealer 2', 'a', 'b'); CALL dbkit.audit_seal()");
$sealer->query_safe("INSERT INTO notes VALUES ('sealer 3', 'a', 'b'); RELEASE SAVEPOINT s");
my $unsealed = q{SELECT string_agg(row_id, ', ' ORDER BY row_id) FROM dbkit.audit_unsealed};
is($sealer->query_safe($unsealed), 'sealer 1, sealer 2, sealer 3', 'a seal leaves the entries of its own transaction');
is($sealer->query_safe('SELECT * FROM dbkit.audit_check()'), '', 'which are not taken for ones that were slipped in');
$sealer->query_safe('CALL dbkit.audit_seal(); COMMIT');
is($main->safe_psql('source', $unsealed), 'sealer 1, sealer 2, sealer 3', 'the same when it seals again');
is(problems($main, 'source'), '', 'and all is well');
is($main->safe_psql('source', q{SELECT number - max(number) OVER (), entries > 0, cardinality(ARRAY(SELECT pg_snapshot_xip(snapshot))),
	pg_snapshot_xmin(snapshot) = (SELECT min(x) FROM pg_snapshot_xip(snapshot) AS x) FROM dbkit.audit_seals ORDER BY number DESC LIMIT 2}),
	"0|f|3|t\n-1|t|3|t", 'the snapshots have all three transactions as running');
$_->query_safe('COMMIT') for $earlier, $later;
$hash = $main->safe_psql('source', 'CALL dbkit.audit_seal()');
is($main->safe_psql('source', $unsealed), '', 'the next seal covers all of them');
is(problems($main, 'source', $hash), '', 'and proves them');

# A transaction that writes to a month while that is to be trimmed
my $old = q{INSERT INTO dbkit.audit_log SELECT (jsonb_populate_record(l, jsonb_build_object('id', generate_id('aud'), 'row_id', 'old', 'at', '2001-02-03', 'transaction', pg_current_xact_id()::text))).*
	FROM dbkit.audit_log l WHERE row_id = 'ended'};
$main->safe_psql('source', q{CREATE TABLE dbkit.audit_log_2001_02 (LIKE dbkit.audit_log);
	ALTER TABLE dbkit.audit_log ATTACH PARTITION dbkit.audit_log_2001_02 FOR VALUES FROM ('2001-02-01 00:00+00') TO ('2001-03-01 00:00+00')});
$main->safe_psql('source', "$old; CALL dbkit.audit_seal()");
my $trimmer = $main->background_psql('source', on_error_stop => 0);
$trimmer->query_safe('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1');
$main->safe_psql('source', $old);
$trimmer->query('SELECT dbkit.audit_trim(now()); COMMIT;');
is($main->safe_psql('source', q{SELECT count(*) FROM dbkit.audit_log WHERE row_id = 'old'}), '2', 'nothing is trimmed that the snapshot of a transaction does not see');
$main->safe_psql('source', 'CALL dbkit.audit_seal()');
$sealer->query_safe("BEGIN; $old");
$trimmer->query_until(qr/trims/, "\\echo trims\nSELECT dbkit.audit_trim(now());\n");
wait_for_lock('SELECT dbkit.audit_trim');
$sealer->query_safe('COMMIT');
$trimmer->query('SELECT 1');
is($main->safe_psql('source', q{SELECT count(*) FROM dbkit.audit_log WHERE row_id = 'old'}), '3', 'nor what is committed while the month is waited for');
$main->safe_psql('source', 'CALL dbkit.audit_seal()');
is($main->safe_psql('source', 'SELECT dbkit.audit_trim(now())'), '3', 'until all are sealed');
is(problems($main, 'source', $hash), '', 'which is proved as well');
$_->quit for $maker, $writer, $earlier, $sealer, $later, $trimmer;

# The log is not dropped, even by a session that has not loaded the library.
my ($status, $out, $err) = $main->psql('source', 'DROP EXTENSION dbkit_audit CASCADE');
like($err, qr/the log of changes is not dropped while there are entries in it/, 'DROP EXTENSION is refused');
($status, $out, $err) = $main->psql('source', 'DROP EXTENSION dbkit CASCADE');
like($err, qr/the log of changes is not dropped while there are entries in it/, 'and so is that of dbkit itself');

done_testing;
