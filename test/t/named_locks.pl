# Named locks as a server sees them: names across backends, waiters that are
# cancelled or killed, CREATE INDEX CONCURRENTLY, a full table, a crash.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', q{
shared_preload_libraries = 'dbkit'
dbkit.max_lock_names = 10
deadlock_timeout = 100ms
max_connections = 20
max_prepared_transactions = 2
max_locks_per_transaction = 10
restart_after_crash = on
log_min_messages = panic
});
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION dbkit');

# Open a session; its application_name is the name given.
sub session
{
	my ($name, %params) = @_;
	my $session = $node->background_psql('postgres', on_error_stop => 0, %params);
	$session->query_safe("SET application_name = '$name'");
	return $session;
}

# Start a statement that is going to wait.
sub start
{
	my ($session, $sql) = @_;
	$session->query_until(qr/started/, "\\echo started\n$sql\n");
}

# Wait until a named session waits for a lock.
sub wait_for_waiter
{
	my ($name) = @_;
	$node->poll_query_until('postgres', qq{
		SELECT count(*) > 0 FROM dbkit.locks
		WHERE application_name = '$name' AND NOT granted AND waiting_since IS NOT NULL})
		or die "$name does not wait";
}

sub locks
{
	return $node->safe_psql('postgres', q{
		SELECT l.name, mode, granted, l.application_name, waiting_since <= clock_timestamp(), a.application_name
		FROM dbkit.locks l LEFT JOIN pg_stat_activity a ON a.pid = ANY (l.blocked_by)
		ORDER BY 1, 2, 3, 4});
}

sub pid_of
{
	return $node->safe_psql('postgres',
		"SELECT pid FROM pg_stat_activity WHERE application_name = '$_[0]'");
}

# Kill a session's backend, and wait until the server has started afresh: it may
# answer for a moment before it notices.  No query goes through a pipe meanwhile, which
# breaks where the connection is refused.
sub crash
{
	my ($name) = @_;
	my $checkpointer = q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'checkpointer'};
	my $before = $node->safe_psql('postgres', $checkpointer);
	kill 'KILL', pid_of($name);
	for (1 .. 1800)
	{
		my ($status, $now) = $node->psql('postgres', undef, extra_params => [ '-c', $checkpointer ]);
		return if $status == 0 && $now =~ /^\d+$/ && $now != $before;
		select(undef, undef, undef, 0.1);
	}
	die 'no restart';
}

# Holders, waiters and blockers, seen from a third session.
my $holder = session('holder');
my $waiter = session('waiter');
$holder->query_safe(q{CALL dbkit.session_lock('deploy')});
start($waiter, q{SELECT dbkit.lock('deploy');});
wait_for_waiter('waiter');
is(locks(), "deploy|ExclusiveLock|f|waiter|t|holder\ndeploy|ExclusiveLock|t|holder||", 'one waits for the other');

# Tenants share a role: within a context only the session's own locks have a name.
is($node->safe_psql('postgres', q{
	BEGIN;
	SELECT dbkit.enter('usr_a', 'org_a') \gset
	SELECT dbkit.lock('mine') \gset
	SELECT name, count(*) FROM dbkit.locks GROUP BY name ORDER BY name;
	SELECT name, count(*) FROM dbkit.lock_status() GROUP BY name ORDER BY name;
	COMMIT;
	SELECT count(*) FROM dbkit.locks WHERE name = 'deploy';}), "mine|1\n|2\nmine|1\n|2\n2", 'a tenant context hides the names of others');

# A timeout names the lock and its holder.
my ($rc, $out, $err) = $node->psql('postgres', q{SELECT dbkit.lock('deploy', '50 ms')});
my $pid = pid_of('holder');
like($err, qr/ERROR:  could not take lock "deploy", held by backend $pid \("holder"\)\nDETAIL:  The timeout was 50 ms\./, 'timeout by argument');
($rc, $out, $err) = $node->psql('postgres', q{SELECT dbkit.lock('deploy', '0')});
like($err, qr/ERROR:  could not take lock "deploy", held by backend $pid \("holder"\)$/m, 'no time at all');
unlike($err, qr/DETAIL/, 'no time to tell');
($rc, $out, $err) = $node->psql('postgres', q{SET lock_timeout = '60ms'; SELECT dbkit.lock_shared('deploy')});
like($err, qr/ERROR:  could not take lock "deploy", held by backend $pid \("holder"\)\nDETAIL:  The timeout was 60 ms\./, 'timeout by setting');
($rc, $out, $err) = $node->psql('postgres', q{CALL dbkit.session_lock('deploy', '70ms')});
like($err, qr/ERROR:  could not take lock "deploy", held by backend $pid \("holder"\)\nDETAIL:  The timeout was 70 ms\./, 'timeout of a session lock');
($rc, $out, $err) = $node->psql('postgres', q{SET lock_timeout = '60ms'; SET statement_timeout = '10ms'; SELECT dbkit.lock('deploy')});
like($err, qr/canceling statement due to statement timeout/, 'statement_timeout stays what it is');
($rc, $out, $err) = $node->psql('postgres', "\\set VERBOSITY sqlstate\nSELECT dbkit.lock('deploy', '1 ms')");
like($err, qr/ERROR:  55P03/, 'lock_not_available');

# Who queues behind a waiter is told about the waiter.
my $sharer = session('sharer');
$sharer->query_safe(q{CALL dbkit.session_lock_shared('queue')});
$holder->query_safe(q{BEGIN});
start($holder, q{SELECT dbkit.lock('queue');});
wait_for_waiter('holder');
($rc, $out, $err) = $node->psql('postgres', q{SELECT dbkit.lock_shared('queue', '10 ms')});
like($err, qr/ERROR:  could not take lock "queue", awaited by backend $pid \("holder"\)/, 'queued behind a waiter');
$sharer->query_safe(q{SELECT dbkit.session_unlock_shared('queue')});
$holder->query_safe(q{COMMIT});
$_->query_safe(q{CALL dbkit.session_lock_shared('queue')}) for $sharer, $holder;
($rc, $out, $err) = $node->psql('postgres', q{SELECT dbkit.lock('queue', '0')});
like($err, qr/ERROR:  could not take lock "queue", held by backend \d+ \("(holder|sharer)"\), backend \d+ \("(?!\1)(holder|sharer)"\)$/m,
	'all who share it are named');
$_->query_safe(q{SELECT dbkit.session_unlock_shared('queue')}) for $sharer, $holder;

# Cancel and terminate.
$node->safe_psql('postgres', q{SELECT pg_cancel_backend(pid) FROM dbkit.locks WHERE application_name = 'waiter'});
$waiter->query_until(qr/still here/, "\\echo still here\n");
like($waiter->{stderr}, qr/canceling statement due to user request/, 'cancelled while waiting');
is(locks(), 'deploy|ExclusiveLock|t|holder||', 'the waiter is gone');
$waiter->{stderr} = '';
start($waiter, q{CALL dbkit.session_lock('deploy');});
wait_for_waiter('waiter');
$node->safe_psql('postgres', q{SELECT pg_terminate_backend(pid, 10000) FROM dbkit.locks WHERE application_name = 'waiter'});
is(locks(), 'deploy|ExclusiveLock|t|holder||', 'terminated while waiting');
eval { $waiter->quit };

# A session lock that was granted as its waiter gave up is not kept.
$waiter = session('waiter');
my $wrong = 0;
for my $round (1 .. 100)
{
	start($waiter, q{CALL dbkit.session_lock('deploy', '2 ms');});
	$holder->query_safe(q{SELECT dbkit.session_unlock('deploy')});
	my $held = $waiter->query(q{SELECT count(*) FROM dbkit.locks WHERE pid = pg_backend_pid()});
	my $failed = $waiter->{stderr} =~ /could not take/;
	$wrong++ if $held != ($failed ? 0 : 1);
	$waiter->{stderr} = '';
	$waiter->query_safe(q{SELECT pg_advisory_unlock_all()});
	$holder->query_safe(q{CALL dbkit.session_lock('deploy')});
}
is($wrong, 0, 'a waiter has either the lock or an error');

# Release at disconnect.
$waiter->query_safe(q{CALL dbkit.session_lock('mine')});
$waiter->quit;
$node->poll_query_until('postgres', q{SELECT count(*) = 1 FROM dbkit.locks});
is(locks(), 'deploy|ExclusiveLock|t|holder||', 'released at disconnect');

# CREATE INDEX CONCURRENTLY by the holder, while another session waits for the
# same lock: what migration runners do.
$node->safe_psql('postgres', q{
	CREATE TABLE big_enum (value text PRIMARY KEY);
	INSERT INTO big_enum SELECT i FROM generate_series(1, 1000) i});
$waiter = session('waiter');
start($waiter, q{SELECT pg_advisory_lock(dbkit.lock_key('deploy'));});
wait_for_waiter('waiter');
$holder->{stderr} = '';
$holder->query(q{CREATE INDEX CONCURRENTLY by_hand ON big_enum ((value || 'x'))});
$waiter->query_until(qr/./, "\\echo .\n") if $holder->{stderr} !~ /deadlock/;
like($holder->{stderr} . $waiter->{stderr}, qr/deadlock detected/, 'SELECT pg_advisory_lock() and an index built concurrently: deadlock');
$holder->{stderr} = '';
$holder->query_safe(q{DROP INDEX by_hand});
$node->safe_psql('postgres', q{SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE application_name = 'waiter'});
eval { $waiter->quit };

for my $wait (q{CALL dbkit.session_lock('deploy');}, q{CALL dbkit.session_lock_shared('deploy', '1 day');},
	q{DO $$ BEGIN PERFORM 1; CALL dbkit.session_lock('deploy'); END $$;})
{
	$waiter = session('waiter');
	start($waiter, $wait);
	wait_for_waiter('waiter');
	$holder->query_safe(q{CREATE INDEX CONCURRENTLY by_dbkit ON big_enum ((value || 'x'))});
	is($node->safe_psql('postgres', q{SELECT indisvalid FROM pg_index WHERE indexrelid = 'by_dbkit'::regclass}), 't', "index built during $wait");
	is($node->safe_psql('postgres', q{SELECT count(*) FROM dbkit.locks WHERE NOT granted}), 1, 'which still waits');
	$holder->query_safe(q{DROP INDEX by_dbkit});
	$holder->query_safe(q{SELECT dbkit.session_unlock('deploy')});
	is($waiter->query_safe(q{SELECT name FROM dbkit.locks WHERE pid = pg_backend_pid()}), 'deploy', 'and then has it');
	$waiter->quit;
	$holder->query_safe(q{CALL dbkit.session_lock('deploy')});
}

# Names are hidden where pg_stat_activity hides the query.
$node->safe_psql('postgres', q{CREATE ROLE regress_app LOGIN; CREATE ROLE regress_monitor LOGIN IN ROLE pg_read_all_stats});
my $app = session('app', extra_params => [ '-U', 'regress_app' ]);
$app->query_safe(q{CALL dbkit.session_lock('app')});
sub names_for { return $node->safe_psql('postgres', q{SELECT string_agg(coalesce(name, '?'), ' ' ORDER BY application_name) FROM dbkit.locks}, extra_params => [ '-U', $_[0] ]) }
is(names_for('regress_app'), 'app ?', 'a role sees the names of its own locks');
is(names_for('regress_monitor'), 'app deploy', 'pg_read_all_stats sees all');
$app->quit;

# Names and locks are a database's own.
$node->safe_psql('postgres', 'CREATE DATABASE other');
$node->safe_psql('other', 'CREATE EXTENSION dbkit');
my $foreigner = $node->background_psql('other');
$foreigner->query_safe($_) for q{CALL dbkit.session_lock('deploy')}, q{CALL dbkit.session_lock_shared('both')};
$_->query_safe(q{CALL dbkit.session_lock_shared('both')}) for $sharer, $holder;
is($foreigner->query_safe(q{SELECT string_agg(name || ' ' || mode, ' ' ORDER BY name) FROM dbkit.locks}),
	'both ShareLock deploy ExclusiveLock', 'locks of the other database');
is($node->safe_psql('postgres', q{SELECT string_agg(name, ' ' ORDER BY name) FROM dbkit.locks}), 'both both deploy',
	'and of this one');
$node->safe_psql('postgres', join ';', q{SELECT count(dbkit.try_lock('same ' || i)) FROM generate_series(1, 4) i},
	map { "SELECT dbkit.try_lock('older $_')" } 1 .. 30);
is($foreigner->query_safe(q{SELECT string_agg(name, ' ' ORDER BY name) FROM dbkit.locks}), 'both deploy',
	'names that another database uses stay');
$foreigner->quit;
$_->query_safe(q{SELECT dbkit.session_unlock_shared('both')}) for $sharer, $holder;

# A full table: the oldest name that nobody uses goes.
$node->safe_psql('postgres', join ';', map { "SELECT dbkit.try_lock('old $_')" } 1 .. 30);
is(locks(), 'deploy|ExclusiveLock|t|holder||', 'a name in use stays');
$waiter = session('waiter');
$waiter->query_safe(join ';', map { "SELECT dbkit.try_session_lock('name $_')" } 1 .. 30);
is($waiter->query_safe(q{SELECT count(*), count(name) FROM dbkit.locks}), '31|10', 'more locks than names');
is($waiter->query_safe(q{SELECT count(*) FROM dbkit.locks WHERE name = 'deploy'}), 1, 'the first stay');
$waiter->query_safe(q{SELECT pg_advisory_unlock_all()});
select(undef, undef, undef, 1.5);
$waiter->query_safe(q{SELECT dbkit.try_session_lock('new')});
is($waiter->query_safe(q{SELECT string_agg(name, ' ' ORDER BY name) FROM dbkit.locks}), 'deploy new', 'unused names make room');
$waiter->query_safe(q{SELECT pg_advisory_unlock_all()});

# A prepared transaction holds a lock without a backend.
$node->safe_psql('postgres', q{BEGIN; SELECT dbkit.lock('prepared'); PREPARE TRANSACTION 'p'});
is($node->safe_psql('postgres', q{SELECT name, pid IS NULL, granted FROM dbkit.locks WHERE name = 'prepared'}), 'prepared|t|t', 'a prepared transaction');
($rc, $out, $err) = $node->psql('postgres', q{SELECT dbkit.lock('prepared', '0')});
like($err, qr/could not take lock "prepared", held by a prepared transaction$/m, 'is named as what it is');
$node->safe_psql('postgres', q{COMMIT PREPARED 'p'});

# The procedures through the extended protocol.
for my $mode ('extended', 'prepared')
{
	$node->pgbench("-n -c 2 -t 20 -M $mode", 0, [qr{processed: 40/40}], [qr{^$}], "CALL in mode $mode",
		{ "call_$mode" => qq{CALL dbkit.session_lock('bench', '1 minute');\nSELECT dbkit.session_unlock('bench');\n} });
}

# Out of lock memory: an error, and the server goes on.
($rc, $out, $err) = $node->psql('postgres', q{SELECT count(dbkit.lock('many ' || i)) FROM generate_series(1, 100000) i});
like($err, qr/out of shared memory/, 'out of lock memory');
($rc, $out, $err) = $node->psql('postgres', q{SELECT count(dbkit.try_session_lock('many ' || i)) FROM generate_series(1, 100000) i});
like($err, qr/out of shared memory/, 'likewise for session locks');
$node->poll_query_until('postgres', q{SELECT count(*) = 1 FROM dbkit.locks}) or die 'locks are left';
is(locks(), 'deploy|ExclusiveLock|t|holder||', 'and nothing is left behind');

# A killed holder takes all down; names and locks start afresh.
$waiter->quit;
crash('holder');
eval { $holder->quit };
eval { $sharer->quit };
is(locks(), '', 'no locks after a crash');
$holder = session('holder');
$holder->query_safe(q{CALL dbkit.session_lock('deploy')});
is(locks(), 'deploy|ExclusiveLock|t|holder||', 'a new one is seen');
$holder->quit;

# The size of the table.
is($node->safe_psql('postgres', 'SHOW dbkit.max_lock_names'), 10, 'max_lock_names');
($rc, $out, $err) = $node->psql('postgres', 'SET dbkit.max_lock_names = 20');
like($err, qr/cannot be changed without restarting the server/, 'is fixed');

# Not preloaded: before PostgreSQL 17, a backend knows the names it used itself.
my $shared = $node->safe_psql('postgres', q{SELECT current_setting('server_version_num')::int >= 170000}) eq 't';
$node->adjust_conf('postgresql.conf', 'shared_preload_libraries', undef);
$node->restart;
($rc, $out, $err) = $node->psql('postgres', q{SELECT dbkit.try_lock('it')});
like($err, qr/^psql:<stdin>:1: WARNING:  invalid configuration parameter name "dbkit.max_lock_names", removing it$/m, 'max_lock_names is for preloading only');
$node->adjust_conf('postgresql.conf', 'dbkit.max_lock_names', undef);
$node->restart;

# Backends that all come at once, when nobody has made the table yet
my $known = $shared ? 'count(*)' : '1';
$node->pgbench('-n -c 15 -j 15 -t 1', 0, [qr{processed: 15/15}], [qr{^(?!.*ERROR)}s], 'backends that start at once see the same names',
	{ at_once => qq{BEGIN;
		SELECT dbkit.lock('client ' || :client_id);
		DO \$\$ BEGIN FOR i IN 1 .. 500 LOOP EXIT WHEN (SELECT count(*) FROM dbkit.locks) >= 15; PERFORM pg_sleep(0.01); END LOOP; END \$\$;
		DO \$\$ BEGIN ASSERT (SELECT count(name) = $known AND count(*) >= 1 FROM dbkit.locks); END \$\$;
		SELECT dbkit.lock_shared('all');
		DO \$\$ BEGIN FOR i IN 1 .. 500 LOOP EXIT WHEN (SELECT count(*) FROM dbkit.locks WHERE key = dbkit.lock_key('all')) >= 15; PERFORM pg_sleep(0.01); END LOOP; END \$\$;
		COMMIT;
	} });
$holder = session('holder');
$holder->query_safe(q{CALL dbkit.session_lock('deploy')});
is($holder->query_safe('SELECT name FROM dbkit.locks'), 'deploy', 'own names');
is($node->safe_psql('postgres', q{SELECT coalesce(name, '?') FROM dbkit.locks}), $shared ? 'deploy' : '?', "others' names");

# The table has its default size, and unused names make room
$holder->query_safe(q{SELECT count(dbkit.try_lock('many ' || i)) FROM generate_series(1, 900) i});
$waiter = session('waiter');
$waiter->query_safe(q{SELECT count(dbkit.try_lock('more ' || i)) FROM generate_series(1, 900) i});
$waiter->query_safe(q{BEGIN});
is($waiter->query_safe(q{SELECT dbkit.try_lock('late')}), 't', 'a name more than there is room for');
is($waiter->query_safe(q{SELECT string_agg(coalesce(name, '?'), ' ' ORDER BY name) FROM dbkit.locks}), $shared ? 'deploy late' : 'late ?',
	'is kept, and so is one in use');
$waiter->query_safe(q{COMMIT});
$_->quit for $holder, $waiter;

# A crash takes the table along
$node->safe_psql('postgres', q{SELECT dbkit.try_lock('before')});
$holder = session('holder');
crash('holder');
eval { $holder->quit };
is($node->safe_psql('postgres', q{BEGIN; SELECT dbkit.try_lock('after'); SELECT string_agg(name, ' ') FROM dbkit.locks}), "t\nafter", 'names after a crash');

# Another database has names of its own
$node->safe_psql('postgres', 'CREATE DATABASE another');
$node->safe_psql('another', 'CREATE EXTENSION dbkit');
$holder = session('holder');
$holder->query_safe(q{CALL dbkit.session_lock('deploy')});
is($node->safe_psql('another', q{BEGIN; SELECT dbkit.try_lock('deploy'); SELECT string_agg(name, ' ') FROM dbkit.locks}), "t\ndeploy", 'another database');
$holder->quit;

$node->stop;
done_testing();
