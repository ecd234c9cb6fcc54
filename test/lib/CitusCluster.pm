# A cluster of Citus nodes, for tests written in Perl.

package CitusCluster;

use strict;
use warnings;
use Exporter qw(import);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;

our @EXPORT_OK = qw(make_node make_cluster add_node said);

# Give a server that has Citus and dbkit loaded, started.
sub make_node
{
	my ($name, %params) = @_;
	my $node = PostgreSQL::Test::Cluster->new($name);
	$node->init(extra => $params{initdb} // []);
	$node->append_conf(
		'postgresql.conf', qq{
		shared_preload_libraries = 'citus,dbkit'
		citus.node_conninfo = 'sslmode=disable'
		citus.shard_count = 4
		citus.enable_unsafe_triggers = on
		citus.override_table_visibility = off
		wal_level = logical
		max_prepared_transactions = 50
		max_wal_senders = 10
		max_replication_slots = 10
		max_worker_processes = 20
		timezone = 'UTC'
	});
	$node->append_conf('postgresql.conf', "output_plugin_libraries = 'citus, pgoutput'")
	  if `postgres --describe-config` =~ /^output_plugin_libraries\t/m;
	$node->append_conf('postgresql.conf', sprintf "citus.local_hostname = '%s'", $node->host);
	$node->append_conf('postgresql.conf', $params{conf}) if $params{conf};
	$node->start;
	$node->safe_psql('postgres', 'CREATE EXTENSION citus');
	return $node;
}

# Have the coordinator know another server.
sub add_node
{
	my ($coordinator, $node) = @_;
	return $coordinator->safe_psql('postgres', sprintf q{SELECT citus_add_node('%s', %d)}, $node->host, $node->port);
}

# Give a coordinator and workers.
sub make_cluster
{
	my ($workers, %params) = @_;
	my $coordinator = make_node('coordinator', %params);
	my @workers = map { make_node("worker$_", %params) } 1 .. $workers;
	$coordinator->safe_psql('postgres', sprintf q{SELECT citus_set_coordinator_host('%s', %d)}, $coordinator->host, $coordinator->port);
	add_node($coordinator, $_) for @workers;
	return ($coordinator, @workers);
}

# Give what a session has to say: rows, errors, notices.
sub said
{
	my ($node, $sql, %params) = @_;
	my ($status, $stdout, $stderr) = $node->psql('postgres', $sql, %params);
	return join "\n", grep { length } $stdout, $stderr =~ s/^psql:<stdin>:\d+: //mgr;
}

1;
