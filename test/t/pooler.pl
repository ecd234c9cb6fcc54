# Behind pgbouncer in transaction mode: named locks of a transaction hold, those
# of a session, like its settings, end up with whoever gets the connection next, and
# ids of clients that share a connection are those of one session.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my ($pgbouncer) = grep { -x } map { "$_/pgbouncer" } split(/:/, $ENV{PATH}), '/usr/sbin';
plan skip_all => 'pgbouncer is not installed' unless $pgbouncer;
plan skip_all => 'pgbouncer does not run as root' if $> == 0;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION dbkit; SET dbkit.enforce = off; CREATE TABLE made (n bigserial, id text COLLATE "C")');

# A pool of one server connection, so that clients must share it, and one of two.
my $user = $node->safe_psql('postgres', 'SELECT current_user');
my $dir = PostgreSQL::Test::Utils::tempdir_short();
my $port = PostgreSQL::Test::Cluster::get_free_port();
my $server = sprintf 'host=%s port=%d dbname=postgres user=%s', $node->host, $node->port, $user;
append_to_file("$dir/pgbouncer.ini", <<"INI");
[databases]
one = $server pool_size=1
two = $server pool_size=2
session = $server pool_size=1 pool_mode=session
[pgbouncer]
listen_addr =
listen_port = $port
unix_socket_dir = $dir
auth_type = any
pool_mode = transaction
logfile = $dir/pgbouncer.log
pidfile = $dir/pgbouncer.pid
INI
system_or_bail($pgbouncer, '-q', '-d', "$dir/pgbouncer.ini");

END
{
	my $status = $?;
	kill 'INT', slurp_file("$dir/pgbouncer.pid") if $dir && -f "$dir/pgbouncer.pid";
	$? = $status;
}

# A client of the pooler: the last -d counts.
sub client
{
	return $node->background_psql('postgres',
		extra_params => [ '-d', "host=$dir port=$port dbname=$_[0] user=$user" ]);
}

# It may need a moment until it answers.
my $answers = 0;
for (1 .. 100)
{
	$answers = run_log([ 'psql', '-XAtqc', 'SELECT 1', "host=$dir port=$port dbname=two user=$user" ]) and last;
	select(undef, undef, undef, 0.1);
}
ok($answers, 'pgbouncer answers') or diag(slurp_file("$dir/pgbouncer.log"));

my $first = client('two');
my $second = client('two');
$first->query_safe('BEGIN');
$first->query_safe(q{SELECT dbkit.lock('it')});
is($second->query_safe(q{SELECT dbkit.try_lock('it')}), 'f', 'a transaction excludes others');
$first->query_safe('COMMIT');
is($second->query_safe(q{SELECT dbkit.try_lock('it')}), 't', 'until it ends');
is($first->query_safe(q{SELECT count(*) FROM dbkit.locks}), '0', 'and leaves nothing behind');
$_->quit for $first, $second;

$first = client('one');
$second = client('one');
$first->query_safe(q{CALL dbkit.session_lock('it')});
is($second->query_safe(q{SELECT dbkit.try_session_lock('it')}), 't', 'a session lock excludes nobody');
is($second->query_safe(q{SELECT dbkit.session_unlock('it') AND dbkit.session_unlock('it')}), 't', 'and anybody may unlock it');

# Nor does it end with the client
$first->query_safe(q{CALL dbkit.session_lock('it')});
$first->quit;
is($node->safe_psql('postgres', q{SELECT dbkit.try_lock('it')}), 'f', 'a session lock outlives its client');
$second->query_safe(q{SELECT dbkit.session_unlock('it')});

# Settings of a session as well, but not those of a transaction
my $enforce = q{SELECT current_setting('dbkit.enforce')};
$first = client('one');
$first->query_safe('BEGIN; SET LOCAL dbkit.enforce = off; COMMIT');
is($second->query_safe($enforce), 'on', 'SET LOCAL ends with the transaction');
$first->query_safe('SET dbkit.enforce = off');
is($second->query_safe($enforce), 'off', 'SET reaches the next client');
$second->query_safe('RESET dbkit.enforce');

# Ids of two clients
for my $turn (1 .. 20)
{
	$_->query_safe(q{INSERT INTO made (id) SELECT generate_id('mad') FROM generate_series(1, 10)}) for $first, $second;
}
is($node->safe_psql('postgres', q{SELECT count(*) FROM (SELECT id > lag(id, 1, '') OVER (ORDER BY n) AS later FROM made) AS ids WHERE later}), '400',
	'ids of clients that share a connection are in order');
$_->quit for $first, $second;

# In session mode the pooler cleans up
$first = client('session');
$first->query_safe(q{CALL dbkit.session_lock('it')});
$first->query_safe('SET dbkit.enforce = off');
my $pid = $first->query_safe('SELECT pg_backend_pid()');
$first->quit;
$second = client('session');
is($second->query_safe(q{SELECT pg_backend_pid(), current_setting('dbkit.enforce'), count(*) FROM dbkit.locks}), "$pid|on|0",
	'DISCARD ALL, which a pooler in session mode sends, leaves nothing');
$second->quit;

$node->stop;
done_testing();
