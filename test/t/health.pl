# dbkit.health with several sessions and servers: who waits and makes others wait, standbys,
# slots, old transaction ids.  It answers on a standby, waits for nobody, and does not mind
# what is dropped meanwhile.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep);

my $primary = PostgreSQL::Test::Cluster->new('primary');
$primary->init(allows_streaming => 1);
$primary->append_conf('postgresql.conf', "max_prepared_transactions = 5\nmax_wal_size = 1GB\nautovacuum = off\nwal_keep_size = 256MB");
$primary->start;
$primary->safe_psql('postgres', q{CREATE EXTENSION dbkit; ALTER DATABASE postgres SET dbkit.enforce = off;
	CREATE ROLE regress_ordinary LOGIN; CREATE ROLE regress_monitor LOGIN; GRANT pg_monitor TO regress_monitor});
$primary->safe_psql('postgres', 'CREATE TABLE filler (t text); CREATE TABLE waited_for (n int)');
$primary->backup('backup');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'backup', has_streaming => 1);
$standby->start;

# Give a row of dbkit.health as a role sees it, with these limits: status, value and hint.
sub health
{
	my ($name, %how) = @_;
	my $node = $how{node} // $primary;
	my $limits = $how{limits} ? "SET dbkit.health_thresholds = '$name=$how{limits}';" : '';
	my $as = $how{as} ? "SET ROLE $how{as};" : '';
	return split /\|/, $node->safe_psql('postgres', "SET statement_timeout = '30s'; $limits $as SELECT status, value, hint FROM dbkit.health WHERE name = '$name'"), -1;
}

sub status
{
	return (health(@_))[0];
}

sub hint
{
	return (health(@_))[2];
}

# Is the status ok by its default, and, within a while, warning and critical by lower limits?
sub has_levels
{
	my ($name, $warning, $critical, %how) = @_;
	my ($is_warning, $is_critical);

	is(status($name, %how), 'ok', "$name: ok");
	for (1 .. 1800)
	{
		$is_warning = status($name, %how, limits => $warning) eq 'warning';
		$is_critical = status($name, %how, limits => $critical) eq 'critical';
		last if $is_warning && $is_critical;
		sleep 0.1;
	}
	ok($is_warning, "$name: warning");
	ok($is_critical, "$name: critical");
}

sub session
{
	my ($node) = @_;
	return ($node // $primary)->background_psql('postgres', on_error_stop => 0);
}

# Sessions ------------------------------------------------------------------

my $idle = session();
my $pid = $idle->query_safe('SELECT pg_backend_pid()');
my $superuser = $idle->query_safe('SELECT current_user');
$idle->query_safe('BEGIN; SELECT 1');
has_levels('idle_in_transaction', '200ms/1h', '100ms/200ms');
has_levels('longest_transaction', '200ms/1h', '100ms/200ms');
like(hint('idle_in_transaction', limits => '1ms/1h'), qr/^It is process $pid, role \Q$superuser\E\. The application/, 'the hint names who it is');
like(hint('longest_transaction', limits => '1ms/1h', as => 'regress_monitor'), qr/^It is that of process $pid, .* ends it\.$/, 'also to members of pg_monitor');
is(join('|', health('idle_in_transaction', limits => '1ms/1h', as => 'regress_ordinary')), 'ok|0 s|You do not see all of it; members of pg_monitor do.',
	'an ordinary role does not see it, and is told so');
$idle->query_safe('COMMIT');
is(status('idle_in_transaction', limits => '1ms/1h'), 'ok', 'and it is over');
$idle->query('BEGIN; SELECT 1 / 0');
$idle->{stderr} = '';
sleep 0.1;
is(status('idle_in_transaction', limits => '1ms/1h'), 'warning', 'a failed transaction is one, too');
$idle->query('ROLLBACK');

# In one transaction, which sees the same connections each time
is($primary->safe_psql('postgres', q{BEGIN; SET LOCAL ROLE regress_ordinary; CREATE TEMP TABLE seen AS SELECT number FROM dbkit.health WHERE name = 'connections';
	RESET ROLE; SELECT h.number = s.number FROM dbkit.health h, seen s WHERE h.name = 'connections'; COMMIT}), 't', 'an ordinary role counts as many connections');
my $before = (health('connections'))[1];
my @others = map { session() } 1 .. 3;
cmp_ok((health('connections'))[1] =~ s/%//r, '>', $before =~ s/%//r, 'more of them are more');
$_->quit for @others;

# Locks
$idle->query_safe('BEGIN; LOCK TABLE waited_for');
my $waiting = session();
my $waits = $waiting->query_safe('SELECT pg_backend_pid()');
$waiting->query_until(qr//, "SELECT * FROM waited_for;\n");
$primary->poll_query_until('postgres', "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND pid = $waits AND waitstart IS NOT NULL)");
has_levels('lock_waits', '200ms/1h', '100ms/200ms');
like(hint('lock_waits', limits => '1ms/1h', as => $_), qr/^1 wait; process $waits has waited longest, for AccessShareLock on waited_for, behind \{$pid\}\./, "the hint names both to $_")
  for $superuser, 'regress_ordinary';
$primary->safe_psql('template1', 'SELECT 1');
is($primary->safe_psql('postgres', q{SELECT count(*) FROM dbkit.health}), 21, 'the rest answers');
$idle->query_safe('ROLLBACK');
$waiting->query_safe('SELECT 1');
is(status('lock_waits', limits => '1ms/1h'), 'ok', 'nobody waits any more');

# What others have locked or are dropping is left out, and not waited for
$primary->safe_psql('postgres', q{CREATE SEQUENCE going MAXVALUE 10; SELECT setval('going', 10); CREATE TABLE gone (n int)});
is(status('sequences'), 'critical', 'a sequence is at its end');
$idle->query_safe('BEGIN; LOCK TABLE dbkit.id_prefix, dbkit.schema_version; DROP SEQUENCE going; DROP TABLE gone; CREATE TABLE coming (n serial); ALTER EVENT TRIGGER dbkit_sql_drop DISABLE');
is(status('sequences'), 'ok', 'which is being dropped');
is(join('|', health('registry')), 'ok|locked|', 'somebody has locked the registry');
is($primary->safe_psql('postgres', q{SET statement_timeout = '30s'; SELECT count(*) FROM dbkit.health}), 21, 'and nothing waits');
$idle->query_safe('ROLLBACK');
is(status('sequences'), 'critical', 'which is not dropped after all');
$idle->query_safe('BEGIN; ALTER SEQUENCE going RESTART');
is(status('sequences'), 'ok', 'which gets another file');
$idle->query_safe('ROLLBACK');
$primary->safe_psql('postgres', 'DROP SEQUENCE going');

$primary->safe_psql('postgres', 'CREATE EXTENSION dbkit_audit; INSERT INTO dbkit.audit_seals VALUES (1, now(), 1, $$1:1:$$, 0, $$$$)');
$idle->query_safe('BEGIN; LOCK TABLE dbkit.audit_seals, dbkit.audit_log_default');
is(status('audit_seal'), 'ok', 'somebody has locked the log of changes');
is(status('audit_months'), 'ok', 'and its partitions are counted without a lock');
$idle->query_safe('ROLLBACK');
$primary->safe_psql('postgres', 'DROP EXTENSION dbkit_audit');

$primary->append_conf('postgresql.conf', 'deadlock_timeout = 10ms');
$primary->pgbench('--no-vacuum --client=4 --time=10', 0, [qr/processed/], [qr/^$/], 'while sequences and tables come and go',
	{
		'health.sql@1' => 'SELECT count(*), min(name), max(hint) FROM dbkit.health;',
		'change.sql@3' => q{
			\set n random(1, 40)
			SET client_min_messages = warning;
			DO $$ BEGIN DROP TABLE IF EXISTS brief_:n; CREATE TABLE brief_:n (n smallserial PRIMARY KEY); EXCEPTION WHEN OTHERS THEN END $$;
			DO $$ BEGIN DROP TABLE IF EXISTS brief_:n; EXCEPTION WHEN OTHERS THEN END $$;}
	});

# An index that is being built is not left invalid
$primary->safe_psql('postgres', 'CREATE TABLE indexed (n int); INSERT INTO indexed VALUES (1)');
$idle->query_safe('BEGIN; INSERT INTO indexed VALUES (2)');
my $builder = $waiting->query_safe('SELECT pg_backend_pid()');
$waiting->query_until(qr//, "CREATE INDEX CONCURRENTLY indexed_n ON indexed (n);\n");
ok($primary->poll_query_until('postgres', 'SELECT EXISTS (SELECT FROM pg_index WHERE NOT indisvalid)'), 'an index is being built');
is(join('|', health('invalid_indexes', as => $_)), 'ok|0|', "which does not count, for $_") for $superuser, 'regress_ordinary';
$primary->safe_psql('postgres', "SELECT pg_cancel_backend($builder)");
ok($primary->poll_query_until('postgres', "SELECT state = 'idle' FROM pg_stat_activity WHERE pid = $builder"), 'it is cancelled');
is(status('invalid_indexes', as => $_), 'warning', "and left behind, for $_") for $superuser, 'regress_ordinary';
$idle->query_safe('ROLLBACK');
$primary->safe_psql('postgres', 'DROP TABLE indexed');
$waiting->quit;

# Prepared transactions
$primary->safe_psql('postgres', q{BEGIN; INSERT INTO waited_for VALUES (1); PREPARE TRANSACTION 'left behind'});
has_levels('prepared_transactions', '200ms/1h', '100ms/200ms');
like(hint('prepared_transactions', limits => '1ms/1h', as => 'regress_ordinary'), qr/^It is 'left behind' of role \Q$superuser\E\./, 'the hint names it');
$primary->safe_psql('postgres', q{ROLLBACK PREPARED 'left behind'});
is(status('prepared_transactions', limits => '1ms/1h'), 'ok', 'and it is over');

# Standbys ------------------------------------------------------------------

$primary->wait_for_catchup($standby);
is($standby->safe_psql('postgres', q{SELECT string_agg(name || ' ' || status, ', ') FROM dbkit.health WHERE status <> 'ok' AND name <> 'enforcement'}), '', 'all is well on a standby');
is($standby->safe_psql('postgres', 'SELECT count(*) FROM dbkit.health'), 21, 'where all checks are made');
$primary->safe_psql('postgres', q{CREATE SEQUENCE brimming MAXVALUE 10; SELECT setval('brimming', 10); CREATE UNLOGGED SEQUENCE volatile_one MAXVALUE 10; SELECT setval('volatile_one', 10)});
$primary->wait_for_catchup($standby);
like(hint('sequences', node => $standby), qr/^It is sequence public\.brimming\./, 'sequences are read there, but for unlogged ones');
$primary->safe_psql('postgres', 'DROP SEQUENCE brimming');
$primary->wait_for_catchup($standby);
is(join('|', health('sequences', node => $standby)), 'ok|0.0%|', 'which have no rows there');
is(status('sequences'), 'critical', 'and have on the primary');
$primary->safe_psql('postgres', 'DROP SEQUENCE volatile_one');
$standby->safe_psql('postgres', 'SELECT pg_wal_replay_pause()');
ok($standby->poll_query_until('postgres', q{SELECT pg_get_wal_replay_pause_state() = 'paused'}), 'replay is paused');
$primary->safe_psql('postgres', q{INSERT INTO filler SELECT repeat('x', 1000) FROM generate_series(1, 5000)});
has_levels('replication_lag', '1MB/1GB', '1MB/2MB');
like(hint('replication_lag', limits => '1MB/1GB', as => 'regress_monitor'), qr/^It is that of 'standby', process \d+, which is in state streaming\./, 'the hint names the standby');
is(join('|', health('replication_lag', limits => '1kB/1GB', as => 'regress_ordinary')), 'ok|0 bytes|You do not see all of it; members of pg_monitor do.', 'though not to everybody');
has_levels('replay_delay', '200ms/1h', '100ms/200ms', node => $standby);
like(hint('replay_delay', limits => '1ms/1h', node => $standby), qr/^Replay is paused\. So old is/, 'the hint says why');
is(status('replay_delay', limits => '1ms/1h'), 'ok', 'a primary has no such delay');
$standby->safe_psql('postgres', 'SELECT pg_wal_replay_resume()');
$primary->wait_for_catchup($standby);
ok($standby->poll_query_until('postgres', q{SELECT pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn()}), 'it goes on');
is(status('replay_delay', limits => '1ms/1h', node => $standby), 'ok', 'what has nothing to replay is not behind, however long ago the last transaction was');

# Slots
$primary->safe_psql('postgres', q{SELECT pg_create_physical_replication_slot('forgotten', true)});
$primary->safe_psql('postgres', q{INSERT INTO filler SELECT repeat('x', 1000) FROM generate_series(1, 5000)});
has_levels('replication_slots', '1MB/1GB', '1MB/2MB');
like(hint('replication_slots', limits => '1MB/1GB', as => 'regress_ordinary'), qr/^It is slot forgotten, which is not in use, and whose WAL is reserved\./, 'the hint names it');
$primary->append_conf('postgresql.conf', "max_slot_wal_keep_size = 1MB\nwal_keep_size = 0");
$primary->reload;
for (1 .. 4)
{
	$primary->safe_psql('postgres', q{INSERT INTO filler SELECT 'x'; SELECT pg_switch_wal()});
}
$primary->wait_for_catchup($standby);
$primary->safe_psql('postgres', 'CHECKPOINT');
like(join('|', health('replication_slots')), qr/^critical\|lost\|It is slot forgotten, .* is lost\./, 'a slot whose WAL is gone');
$primary->safe_psql('postgres', q{SELECT pg_drop_replication_slot('forgotten')});
is(status('replication_slots', limits => '1kB/1MB'), 'ok', 'and dropped');

# Nobody to hear from
$primary->safe_psql('postgres', 'CREATE TABLE last_words ()');
$primary->wait_for_catchup($standby);
$idle->quit;
$primary->stop;
has_levels('replay_delay', '200ms/1h', '100ms/200ms', node => $standby);
$standby->stop;

# Old transactions ----------------------------------------------------------

# Set the next transaction id, or multixact, of a cluster that is thrown away.
my $old = PostgreSQL::Test::Cluster->new('old');
$old->init;
$old->append_conf('postgresql.conf', "autovacuum = off\nautovacuum_freeze_max_age = 2000000000\nautovacuum_multixact_freeze_max_age = 2000000000");
$old->start;
$old->safe_psql('postgres', 'CREATE EXTENSION dbkit');

sub age
{
	my ($what, $segment, $per_segment, $option) = @_;
	my $next = $segment * $per_segment;

	$old->stop;
	append_to_file($old->data_dir . sprintf('/%s/%04X', $what, $segment), "\0" x (32 * 8192));
	command_ok([ 'pg_resetwal', sprintf($option, $next), $old->data_dir ], "$what at $next");
	$old->start;
}

is(status('transaction_id_age', node => $old), 'ok', 'young transactions');
age('pg_xact', 1000, 1048576, '--next-transaction-id=%d');
is(status('transaction_id_age', node => $old), 'warning', 'middle-aged ones');
age('pg_xact', 1700, 1048576, '--next-transaction-id=%d');
like(join('|', health('transaction_id_age', node => $old)), qr/^critical\|83\.\d%\|The oldest is in database \w+, 178\d{7} ago\. At 100%/, 'old ones');
is(status('multixact_age', node => $old), 'ok', 'young multixacts');
age('pg_multixact/offsets', 15000, 65536, '--multixact-ids=%d,1');
is(status('multixact_age', node => $old), 'warning', 'middle-aged ones');
age('pg_multixact/offsets', 26000, 65536, '--multixact-ids=%d,1');
is(status('multixact_age', node => $old), 'critical', 'old ones');
$old->stop;

done_testing();
