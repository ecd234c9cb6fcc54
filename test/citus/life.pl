# Citus: dbkit's whole life on a cluster: created before Citus, dropped, upgraded, dumped and restored, and
# taken along by pg_upgrade.  What the pages say about it is done here as it stands there.

use strict;
use warnings;

use File::Copy;
use FindBin;
use lib "$FindBin::Bin/../lib";
use CitusCluster qw(make_node make_cluster add_node said);
use Conforming qw(good_table);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my ($coordinator, @workers) = make_cluster(2);
my @servers = ($coordinator, @workers);

# Give what each server has to say.
sub all_say
{
	my ($sql) = @_;
	return join '/', map { said($_, $sql) } @servers;
}

sub works
{
	my ($sql, $what) = @_;
	unlike(said($coordinator, "SET client_min_messages = error; $sql"), qr/ERROR/, $what);
}

# Give the statements of a table that keeps all rules, and is distributed.
sub distributed
{
	my ($name, $prefix, $more) = @_;
	return join '; ', 'BEGIN', good_table($name, $prefix, $more), "SELECT 1 FROM create_distributed_table('$name', 'id')", 'COMMIT;';
}

# dbkit before Citus
works('DROP EXTENSION citus', 'a server that has no Citus in the database');
$_->safe_psql('postgres', 'DROP EXTENSION citus; CREATE EXTENSION citus') for @workers;
is(said($coordinator, 'CREATE EXTENSION dbkit'), '', 'dbkit is created first');
is(said($coordinator, join '; ', 'BEGIN', good_table('early', 'ear', 'name text'), q{COMMIT; INSERT INTO early (name) VALUES ('x')}), '', 'with a table');
works(q{SET dbkit.enforce = off; CREATE ROLE regress_early; CREATE TABLE tenants (organization_id uuid); SELECT dbkit.protect('tenants', role => 'regress_early')}, 'and one that is protected');
works(sprintf(q{CREATE EXTENSION citus; SELECT citus_set_coordinator_host('%s', %d)}, $coordinator->host, $coordinator->port), 'then Citus');
add_node($coordinator, $_) for @workers;
works(q{SELECT create_distributed_table('early', 'id')}, 'the table is distributed');
my $distribute = q{SELECT create_distributed_table('tenants', 'organization_id')};
like(said($coordinator, $distribute), qr/ERROR:  cannot create policy/, 'the policies of before have a subquery, which Citus takes none of');
works("SELECT dbkit.protect('tenants', role => 'regress_early'); $distribute; DROP TABLE tenants", 'so the table is protected again');
works(distributed('late', 'lat'), 'another is made');
is(all_say(q{SELECT extversion FROM pg_extension WHERE extname = 'dbkit'}), '1.0.0/1.0.0/1.0.0', 'every server has dbkit');
is(all_say('SELECT prefix, relation::regclass FROM dbkit.id_prefix ORDER BY 1'), join('/', ("ear|early\nlat|late") x 3), 'and the registry');
is(all_say('SELECT * FROM dbkit.check()'), '//', 'nothing is found');
like(said($coordinator, 'ALTER TABLE early ADD n int'), qr/ERROR:.*bigint/, 'tables are judged');

# DROP EXTENSION
like(said($coordinator, 'DROP EXTENSION dbkit'), qr/ERROR:.*because other objects depend on it/, 'dbkit is not dropped while tables need it');
works('DROP EXTENSION dbkit CASCADE', 'with CASCADE it is');
is(all_say(q{SELECT count(*) FROM pg_extension WHERE extname = 'dbkit'}), '0/0/0', 'on every server');
is(all_say(q{SELECT count(*) FROM pg_trigger WHERE tgname = 'updated_at'}), '0/0/0', 'with the triggers, also those of shards');
is($coordinator->safe_psql('postgres', 'SELECT count(*) FROM early'), '1', 'the rows stay');
works('DROP TABLE early, late', 'tables are dropped');

# An earlier version, and its upgrade
my $directory = $coordinator->config_data('--sharedir') . '/extension';
my $earlier = "$directory/dbkit--1.0.0-dev.sql";
my $copied = !-e $earlier && copy("$FindBin::Bin/../upgrade/dbkit--1.0.0-dev.sql", $earlier);
END { unlink $earlier if $copied }
works(q{CREATE EXTENSION dbkit VERSION '1.0.0-dev'}, 'an earlier version');
is(all_say(q{SELECT extversion FROM pg_extension WHERE extname = 'dbkit'}), join('/', ('1.0.0-dev') x 3), 'is created on every server');
works(distributed('old', 'old', 'name text'), 'a table is distributed');
works(q{INSERT INTO old (name) SELECT 'x' FROM generate_series(1, 10)}, 'and has rows');
works('ALTER EXTENSION dbkit UPDATE', 'ALTER EXTENSION dbkit UPDATE on the coordinator');
is(all_say(q{SELECT extversion FROM pg_extension WHERE extname = 'dbkit'}), '1.0.0/1.0.0/1.0.0', 'upgrades every server');
is(all_say(q{SELECT count(*) FROM pg_event_trigger WHERE evtname ~ '^dbkit' AND evtenabled <> 'D'}), '4/4/4', 'with their event triggers');
is(all_say('SELECT * FROM dbkit.check()'), '//', 'nothing is found');
is(all_say('SELECT prefix, relation::regclass FROM dbkit.id_prefix'), 'old|old/old|old/old|old', 'the registry is right');
is(said($coordinator, 'UPDATE old SET name = name; SELECT count(*), bool_and(updated_at > created_at) FROM old'), '10|t', 'updated_at() works on the shards');
like(said($coordinator, 'ALTER TABLE old ADD n int'), qr/ERROR:.*bigint/, 'tables are judged');
works('DROP TABLE old', 'the table is dropped');

# What is dumped
$coordinator->safe_psql('postgres', q{SELECT dbkit.agree('{"rules": {"storytime": "off"}}'); CREATE ROLE regress_customer;
	BEGIN; SELECT dbkit.create_table('organizations', 'name text'); SELECT create_distributed_table('organizations', 'id'); COMMIT;
	BEGIN; SELECT dbkit.create_table('documents', 'organization_id text COLLATE "C" NOT NULL REFERENCES organizations(id) ON DELETE CASCADE, title text'); SELECT create_distributed_table('documents', 'organization_id'); COMMIT;
	BEGIN; SELECT dbkit.create_table('countries', 'name text'); SELECT create_reference_table('countries'); COMMIT;
	SELECT dbkit.protect('documents', role => 'regress_customer');
	INSERT INTO organizations (id) VALUES ('org_1'); INSERT INTO documents (organization_id, title) SELECT 'org_1', i FROM generate_series(1, 100) i; INSERT INTO countries (name) VALUES ('x');
	SET dbkit.enforce = off; CREATE TABLE legacy (n int PRIMARY KEY); SELECT create_distributed_table('legacy', 'n'); SELECT dbkit.baseline()});
my $registry = $coordinator->safe_psql('postgres', 'SELECT prefix, relation::regclass FROM dbkit.id_prefix ORDER BY 1');
is(all_say('SELECT * FROM dbkit.check()'), '//', 'nothing is found before the dump');
my $dump = PostgreSQL::Test::Utils::tempdir() . '/dump';
command_ok([ 'env', 'PGOPTIONS=-c citus.override_table_visibility=on', 'pg_dump', '-Fc', '-f', $dump, $coordinator->connstr('postgres') ], 'pg_dump');

# Is a server as the one was that was dumped?
sub is_as_before
{
	my ($when, @these) = @_;
	for my $server (@these)
	{
		my $name = "$when: " . $server->name;
		is(said($server, 'SELECT * FROM dbkit.check()'), '', "$name: nothing is found");
		is(said($server, 'SELECT prefix, relation::regclass FROM dbkit.id_prefix ORDER BY 1'), $registry, "$name: the registry is right");
		is(said($server, q{SELECT value FROM dbkit.status() WHERE name = 'rule storytime'}), 'off', "$name: the agreement holds");
	}
	is(said($these[0], 'SELECT count(*) FROM documents; SELECT count(*) FROM countries'), "100\n1", "$when: the rows are there");
	is(said($these[0], 'UPDATE documents SET title = title; SELECT bool_and(updated_at > created_at) FROM documents'), 't', "$when: updated_at() works on the shards");
	like(said($these[0], 'ALTER TABLE documents ADD n int'), qr/ERROR:.*bigint/, "$when: tables are judged");
	is(said($these[0], 'ALTER TABLE legacy ADD n2 bigint; ALTER TABLE legacy DROP n2'), '', "$when: the baseline holds");
	return;
}

my @others = map { make_node($_) } qw(coordinator2 worker3);
$others[0]->safe_psql('postgres', sprintf q{SELECT citus_set_coordinator_host('%s', %d)}, $others[0]->host, $others[0]->port);
add_node($others[0], $others[1]);
$others[0]->safe_psql('postgres', 'CREATE ROLE regress_customer');
my @restore = ('pg_restore', '-d', $others[0]->connstr('postgres'));
command_ok([ @restore, '--section=pre-data', $dump ], 'pg_restore of the tables');
$others[0]->safe_psql('postgres', q{SELECT create_distributed_table('organizations', 'id'); SELECT create_distributed_table('documents', 'organization_id'); SELECT create_reference_table('countries'); SELECT create_distributed_table('legacy', 'n')});
command_ok([ @restore, "--section=$_", $dump ], "pg_restore of $_") for qw(data post-data);
is_as_before('restored', @others);
$_->stop for @others;

# pg_upgrade, as Citus describes it
like(said($coordinator, 'SELECT citus_prepare_pg_upgrade()'), qr/ERROR:.*break \d+ schema conventions/s, 'what Citus keeps in tables of its own is judged');
unlike(said($_, 'SET dbkit.enforce = off; SELECT citus_prepare_pg_upgrade()'), qr/ERROR/, $_->name . ': citus_prepare_pg_upgrade()') for @servers;
my @upgraded;
for my $server (@servers)
{
	my $new = PostgreSQL::Test::Cluster->new($server->name . '_new');
	$new->init;
	$new->append_conf('postgresql.conf', slurp_file($server->data_dir . '/postgresql.conf') =~ s/^port *=.*$//mgr);
	$new->append_conf('postgresql.conf', sprintf 'port = %d', $new->port);
	$server->stop;
	command_ok([ 'pg_upgrade', '-d', $server->data_dir, '-D', $new->data_dir, '-b', $server->config_data('--bindir'), '-B', $new->config_data('--bindir'),
			'-s', $new->host, '-p', $server->port, '-P', $new->port ], $server->name . ': pg_upgrade');
	# The others know it by its address
	$new->append_conf('postgresql.conf', sprintf "port = %d\nunix_socket_directories = '%s'", $server->port, $server->host);
	push @upgraded, $new;
}
for my $i (0 .. $#servers)
{
	$upgraded[$i]->{_port} = $servers[$i]->port;
	$upgraded[$i]->{_host} = $servers[$i]->host;
	$upgraded[$i]->start;
	unlike(said($upgraded[$i], 'SET dbkit.enforce = off; SELECT citus_finish_pg_upgrade()'), qr/ERROR/, $servers[$i]->name . ': citus_finish_pg_upgrade()');
}
is_as_before('upgraded', @upgraded);
@servers = @upgraded;
($coordinator, @workers) = @upgraded;

# A tenant's role is confined on each server
my $may = q{SELECT has_function_privilege('regress_customer', 'run_command_on_workers(text, boolean)', 'EXECUTE')};
my $confine = q{SELECT * FROM dbkit.confine_sql('regress_customer')};
unlike(said($coordinator, said($coordinator, $confine)), qr/ERROR/, 'what dbkit.confine_sql() writes');
is(all_say($may), 'f/t/t', 'is not sent to the other servers');
unlike(said($_, said($_, $confine)), qr/ERROR/, $_->name . ': it is run there, too') for @workers;
is(all_say($may), 'f/f/f', 'then the role is confined on all');

# Citus leaves
works('DROP TABLE documents, organizations, countries, legacy', 'tables are dropped');
works('DROP EXTENSION citus', 'Citus is dropped');
is(said($coordinator, 'SELECT * FROM dbkit.check()'), '', 'nothing is found');
like(said($coordinator, 'CREATE TABLE bad (n int)'), qr/ERROR:.*breaks/, 'tables are judged');

done_testing();
