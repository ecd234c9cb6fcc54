# Two tenants behind a real pgbouncer in transaction mode: thousands of their
# transactions take turns on two connections, and no row may cross over.

use strict;
use warnings;

use Digest::SHA qw(hmac_sha256_hex);
use IPC::Run qw(start);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my ($pgbouncer) = grep { -x } map { "$_/pgbouncer" } split(/:/, $ENV{PATH}), '/usr/sbin';
plan skip_all => 'pgbouncer is not installed' unless $pgbouncer;
plan skip_all => 'pgbouncer does not run as root' if $> == 0;

# From 1.21 on it carries prepared statements from one connection to another.
my ($major, $minor) = `$pgbouncer --version` =~ /(\d+)\.(\d+)/;
my $prepares = $major > 1 || $minor >= 21;

my $directory = PostgreSQL::Test::Utils::tempdir_short;
my $port = PostgreSQL::Test::Cluster::get_free_port();

# Write a file and return its path.
sub write_file
{
	my ($name, $content) = @_;
	open my $file, '>', "$directory/$name" or die "$name: $!";
	print $file $content;
	close $file;
	chmod 0600, "$directory/$name";
	return "$directory/$name";
}

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->start;
$node->safe_psql(
	'postgres', q{
	CREATE EXTENSION dbkit;
	SET dbkit.enforce = off;
	CREATE ROLE regress_customer LOGIN;
	CREATE TABLE prize (organization_id text COLLATE "C", user_id text COLLATE "C", secret text);
	INSERT INTO prize SELECT 'org_' || o, 'usr_' || o, 'secret of ' || o FROM unnest('{a,b}'::text[]) o, generate_series(1, 10);
	SELECT dbkit.protect('prize', role => 'regress_customer');
	CREATE TABLE setting_prize (organization_id text COLLATE "C", secret text);
	INSERT INTO setting_prize SELECT organization_id, secret FROM prize;
	ALTER TABLE setting_prize ENABLE ROW LEVEL SECURITY;
	CREATE POLICY own ON setting_prize TO regress_customer
		USING (organization_id = current_setting('app.organization_id', true));
	GRANT ALL ON prize, setting_prize TO regress_customer;
	CREATE FUNCTION assert(fact boolean) RETURNS void LANGUAGE plpgsql AS $$ BEGIN ASSERT fact; END $$;
});

my $host = $node->host;
my $server_port = $node->port;
my $users = write_file('users', qq{"regress_customer" ""\n});
my $config = write_file('pgbouncer.ini', <<"INI");
[databases]
postgres = host=$host port=$server_port dbname=postgres
single = host=$host port=$server_port dbname=postgres pool_size=1
[pgbouncer]
listen_addr =
unix_socket_dir = $directory
listen_port = $port
auth_type = trust
auth_file = $users
pool_mode = transaction
default_pool_size = 2
max_client_conn = 50
ignore_startup_parameters = extra_float_digits
logfile = $directory/log
INI
append_to_file($config, "max_prepared_statements = 100\n") if $prepares;
my $pooler = start([ $pgbouncer, '-q', $config ], '<', \undef, '>&', "$directory/out");
my $pooled = "host=$directory port=$port dbname=postgres user=regress_customer";
my $up = 0;
for (1 .. 100)
{
	last if $up = run_log([ 'psql', '-XAtqc', 'SELECT 1', $pooled ]);
	select undef, undef, undef, 0.1;
}
ok($up, 'pgbouncer is up') or BAIL_OUT(slurp_file("$directory/log"));

# A transaction of one tenant, which fails if it sees anything but its rows.
my $tenant = sub {
	my ($name, $end) = @_;
	return <<"SQL";
BEGIN;
SELECT dbkit.enter('usr_$name', 'org_$name');
SELECT assert(count(*) = 10 AND bool_and(organization_id = 'org_$name')) FROM prize;
UPDATE prize SET secret = secret || '' WHERE random() < 0.1;
SELECT assert(count(*) = 10 AND bool_and(organization_id = 'org_$name')) FROM setting_prize;
SELECT assert(dbkit.user_id() = 'usr_$name');
$end;
SQL
};
my %script = (
	a => $tenant->('a', 'COMMIT'),
	b => $tenant->('b', 'COMMIT'),
	b_rolls_back => $tenant->('b', 'ROLLBACK'),
	nobody => 'SELECT assert(count(*) = 0) FROM (SELECT secret FROM prize UNION ALL SELECT secret FROM setting_prize) t;',
	autocommit => q{DO $$ BEGIN PERFORM dbkit.enter('usr_a', 'org_a'); ASSERT (SELECT count(*) FROM prize) = 10; END $$;},
);
my @scripts = map { ('-f', write_file("$_.sql", $script{$_})) } sort keys %script;
# A thread for each client, as pgbench prepares statements without letting others go on.
for my $protocol (qw(simple extended), $prepares ? 'prepared' : ())
{
	command_checks_all(
		[ 'pgbench', '-n', '-M', $protocol, '-c', 10, '-j', 10, '-t', 500, @scripts,
			'-h', $directory, '-p', $port, '-U', 'regress_customer', 'postgres' ],
		0,
		[ qr{number of transactions actually processed: 5000/5000} ],
		[ qr{^(?!.*(?:ERROR|aborted))}s ],
		"5000 transactions of two tenants, protocol $protocol");
}
my $connections = $node->safe_psql('postgres', q{SELECT count(*) FROM pg_stat_activity WHERE usename = 'regress_customer'});
cmp_ok($connections, '<=', 2, 'they shared two connections');

# An error, a lost client and a forgery leave nothing behind for the next one.
for my $end (q{SELECT 1 / 0;}, q{\q}, q{COMMIT; SET app.organization_id = 'org_a'}, q{COMMIT; SELECT set_config('app.user_id', 'usr_a', false)})
{
	$node->psql('postgres', "BEGIN; SELECT dbkit.enter('usr_a', 'org_a');\n$end", connstr => $pooled) for 1 .. 4;
	my $out = '';
	$node->psql('postgres', 'SELECT count(*) FROM prize; SELECT count(*) FROM setting_prize;', connstr => $pooled, stdout => \$out) for 1 .. 4;
	is($out, "0\n0", "nothing is left after: $end");
}

# Signed mode, a nonce and its use in one transaction.
my $key = 'k' x 32;
write_file('key', $key);
write_file('sign', q{use Digest::SHA qw(hmac_sha256_hex);
	print hmac_sha256_hex(join('', map { length($_) . ":$_," } @ARGV), 'k' x 32);});
$node->append_conf('postgresql.conf', "dbkit.context_key_file = '$directory/key'");
$node->reload;
for my $name (qw(a b a b a b))
{
	my $out = '';
	$node->psql('postgres', <<"SQL", connstr => $pooled, stdout => \$out);
BEGIN;
SELECT dbkit.nonce() AS nonce \\gset
\\set signature `perl $directory/sign postgres regress_customer usr_$name org_$name :nonce`
SELECT dbkit.enter('usr_$name', 'org_$name', :'signature');
SELECT DISTINCT organization_id FROM prize;
COMMIT;
SQL
	is($out, "\norg_$name", "signed mode behind the pooler, tenant $name");
}

command_fails_like([ 'pgbench', '-n', '-h', $directory, '-p', $port, '-U', 'regress_customer', '-M', 'prepared', '-c', 4, '-j', 4, '-t', 50,
		@scripts, 'postgres' ], qr/prepared statement "\w+" (already exists|does not exist)/, 'pgbouncer before 1.21 prepares no statements')
	unless $prepares;

# The pooler names the statements that it prepares by itself, and gives them to all
# clients: one that was replaced would get the values of the next.  The library is
# preloaded, or a connection that has not used it yet could be prepared for that.
SKIP:
{
	skip 'pgbouncer before 1.21 prepares no statements', 4 unless $prepares;
	$node->append_conf('postgresql.conf', "shared_preload_libraries = 'dbkit'");
	$node->restart;
	$node->safe_psql('postgres', 'SET dbkit.enforce = off; CREATE TABLE loot (what text); GRANT ALL ON loot TO regress_customer');
	my $single = $pooled =~ s/dbname=\w+/dbname=single/r;
	my $nonces = write_file('nonces.sql', "SELECT dbkit.nonce();\n");
	my $replace = write_file('replace.sql', <<'SQL');
DO $$
DECLARE statement record;
BEGIN
	FOR statement IN SELECT name FROM pg_prepared_statements LOOP
		EXECUTE format('DEALLOCATE %I', statement.name);
		EXECUTE format('PREPARE %I AS INSERT INTO loot VALUES (''replaced'')', statement.name);
	END LOOP;
	INSERT INTO loot SELECT 'found ' || count(*) FROM pg_prepared_statements;
END $$;
SQL
	my @bench = ('pgbench', '-n', '-h', $directory, '-p', $port, '-U', 'regress_customer');
	my $loot = 'SELECT DISTINCT what FROM loot ORDER BY 1';
	$node->append_conf('postgresql.conf', "dbkit.context_key_file = ''");
	$node->reload;
	command_ok([ @bench, '-M', 'prepared', '-c', 4, '-t', 50, '-f', $nonces, 'single' ], 'the pooler prepares statements');
	$node->psql('postgres', slurp_file($replace), connstr => $single);
	run_log([ @bench, '-M', 'prepared', '-c', 4, '-t', 50, '-f', $nonces, 'single' ]);
	like($node->safe_psql('postgres', $loot), qr/^replaced$/m, 'without a key they can be replaced for the next client');

	$node->append_conf('postgresql.conf', "dbkit.context_key_file = '$directory/key'");
	$node->restart;
	$node->safe_psql('postgres', 'TRUNCATE loot');
	run_log([ @bench, '-M', 'prepared', '-c', 4, '-t', 50, '-f', $nonces, 'single' ]);
	$node->psql('postgres', slurp_file($replace), connstr => $single);
	command_fails_like([ @bench, '-M', 'prepared', '-c', 4, '-t', 50, '-f', $nonces, 'single' ],
		qr/prepared statement "\w+" does not exist/, 'with a key they can be broken');
	unlike($node->safe_psql('postgres', $loot), qr/replaced/, 'and not replaced');
}

# The pooler can clean up after each transaction, which no client can put off.
append_to_file($config, "server_reset_query = DISCARD ALL\nserver_reset_query_always = 1\n");
$pooler->signal('HUP');
for my $round (1 .. 4)
{
	my $left = '';
	$node->psql('postgres', q{SET DateStyle = 'German'; SELECT pg_advisory_lock(1); CREATE TEMP TABLE prize (); LISTEN a;}, connstr => $pooled);
	$node->psql('postgres', q{SELECT current_setting('DateStyle'), (SELECT count(*) FROM pg_listening_channels()),
		(SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'), (SELECT count(*) FROM pg_class WHERE relname = 'prize')},
		connstr => $pooled, stdout => \$left);
	is($left, 'ISO, MDY|0|0|1', "with server_reset_query_always nothing is left, round $round");
}
SKIP:
{
	skip 'pgbouncer before 1.21 prepares no statements', 1 unless $prepares;
	command_ok([ 'pgbench', '-n', '-h', $directory, '-p', $port, '-U', 'regress_customer', '-M', 'prepared', '-c', 4, '-t', 50,
			'-f', write_file('one.sql', "SELECT 1;\n"), 'postgres' ], 'and prepared statements still work');
}

$pooler->signal('INT');
$pooler->finish;
$node->stop;
done_testing();
