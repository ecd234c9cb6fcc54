# Named locks behind pgbouncer in transaction mode: those of a transaction hold,
# those of a session end up with whoever gets the connection next.
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
$node->safe_psql('postgres', 'CREATE EXTENSION dbkit');

# A pool of one server connection, so that clients must share it, and one of two.
my $user = $node->safe_psql('postgres', 'SELECT current_user');
my $dir = PostgreSQL::Test::Utils::tempdir_short();
my $port = PostgreSQL::Test::Cluster::get_free_port();
my $server = sprintf 'host=%s port=%d dbname=postgres user=%s', $node->host, $node->port, $user;
append_to_file("$dir/pgbouncer.ini", <<"INI");
[databases]
one = $server pool_size=1
two = $server pool_size=2
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
$_->quit for $first, $second;

$node->stop;
done_testing();
