# Citus: servers come and go, and shards move between them; what dbkit knows stays right on each.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use CitusCluster qw(make_node make_cluster add_node said);
use Conforming qw(good_table);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my ($coordinator, @workers) = make_cluster(2);
$coordinator->safe_psql('postgres', 'CREATE EXTENSION dbkit');

# Tables by prefix, as every server has to know them
my %tables;

# Give what each server has to say.
sub all_say
{
	my ($sql) = @_;
	return join '/', map { said($_, $sql) } $coordinator, @workers;
}

# Nothing is found on any server, and each has the prefixes of the same tables.
sub is_right
{
	my ($when) = @_;
	my $registry = join "\n", map { "$_|$tables{$_}" } sort keys %tables;
	is(all_say('SELECT * FROM dbkit.check()'), '/' x @workers, "$when: nothing is found anywhere");
	is(all_say('SELECT prefix, relation::regclass FROM dbkit.id_prefix ORDER BY 1'), join('/', ($registry) x (1 + @workers)), "$when: the registry is right everywhere");
}

# Make a table that keeps all rules, and do more to it in the same transaction.
sub make_table
{
	my ($name, $prefix, $then, $more) = @_;
	unlike(said($coordinator, join '; ', 'SET client_min_messages = error; BEGIN', good_table($name, $prefix, $more), $then || (), 'COMMIT'), qr/./, "table $name");
	$tables{$prefix} = $name;
}

# Run what Citus offers, which must not fail.
sub works
{
	my ($sql, $what) = @_;
	unlike(said($coordinator, "SET client_min_messages = error; $sql"), qr/ERROR/, $what || $sql);
}

my $node = 'FROM pg_dist_node WHERE groupid';
my $distribute = q{DO $$ BEGIN PERFORM create_distributed_table('%s', '%s', colocate_with => '%s'); END $$};

# Shards on the coordinator
works("SELECT citus_set_node_property(nodename, nodeport, 'shouldhaveshards', true) $node = 0", 'the coordinator may have shards');
make_table('things', 'thi', 'SET LOCAL citus.shard_count = 16; SET LOCAL citus.force_max_query_parallelization = on; ' . sprintf($distribute, 'things', 'id', 'none'), 'name text');
is($coordinator->safe_psql('postgres', q{SELECT count(*) > 0 FROM pg_class WHERE relname ~ '^things_\d+$'}), 't', 'shards are on the coordinator');
works(q{INSERT INTO things (name) SELECT 'x' FROM generate_series(1, 100)});
like(said($coordinator, 'ALTER TABLE things ADD n int'), qr/ERROR:.*bigint/, 'the table is judged');
works('SET citus.force_max_query_parallelization = on; ALTER TABLE things ADD n bigint; CREATE INDEX ON things (n); CREATE INDEX CONCURRENTLY ON things (name)', 'and changed');
make_table('countries', 'cou', q{DO $$ BEGIN PERFORM create_reference_table('countries'); END $$});
make_table('cities', 'cit', 'CREATE INDEX ON cities (country_id)', 'country_id text COLLATE "C" NOT NULL REFERENCES countries(id)');
make_table('local_things', 'loc');
works(q{SELECT citus_add_local_table_to_metadata('local_things')});
is_right('shards on the coordinator');
works('SELECT remove_local_tables_from_metadata()');
make_table('single', 'sin', q{DO $$ BEGIN PERFORM create_distributed_table('single', NULL); END $$});

# Tables that are distributed otherwise, made anew, and renamed
make_table('papers', 'pap');
works(q{INSERT INTO papers SELECT FROM generate_series(1, 200); SELECT create_distributed_table_concurrently('papers', 'id', colocate_with => 'none')}, 'create_distributed_table_concurrently()');
is_right('distributed while others write');
# A shard of the coordinator, which Citus splits in no transaction that has read it
my $paper = $coordinator->safe_psql('postgres', q{SELECT id FROM papers
	WHERE get_shard_id_for_distribution_column('papers', id) IN (SELECT shardid FROM pg_dist_placement WHERE groupid = 0) LIMIT 1});
works(qq{SELECT isolate_tenant_to_new_shard('papers', '$paper')}, 'isolate_tenant_to_new_shard()');
works(q{SELECT update_distributed_table_colocation('papers', colocate_with => 'none')});
works(q{SELECT alter_distributed_table('papers', shard_count => 8)});
works(q{SELECT alter_distributed_table('papers', colocate_with => 'things')});
works('ALTER TABLE papers RENAME TO articles', 'a table is renamed');
$tables{pap} = 'articles';
is_right('renamed, with a shard left over that has the old name');

# Schemas
works('CREATE SCHEMA tenant_one');
make_table('tenant_one.notes', 'nts');
works(q{INSERT INTO tenant_one.notes DEFAULT VALUES; SELECT citus_schema_distribute('tenant_one')}, 'citus_schema_distribute()');
make_table('tenant_one.memos', 'mem');
like(said($coordinator, 'CREATE TABLE tenant_one.bad (n int)'), qr/ERROR:.*breaks/, 'a table of such a schema is judged');
my $place = $coordinator->safe_psql('postgres', q{SELECT min(groupid) FROM pg_dist_placement JOIN pg_dist_shard USING (shardid) WHERE logicalrelid = 'tenant_one.notes'::regclass});
my $other = $place == 1 ? 2 : 1;
works("SELECT citus_schema_move('tenant_one', nodename, nodeport, 'block_writes') $node = $other", 'citus_schema_move() that blocks writes');
works("SELECT citus_schema_move('tenant_one', nodename, nodeport, 'force_logical') $node = " . (3 - $other), 'and one that does not');
works('ALTER TABLE tenant_one.memos SET SCHEMA public; ALTER SCHEMA tenant_one RENAME TO tenant_two', 'a table leaves the schema, which gets another name');
@tables{qw(mem nts)} = qw(memos tenant_two.notes);
# The workers have what is distributed
delete $tables{mem};
is(said($coordinator, q{SELECT relation::regclass FROM dbkit.id_prefix WHERE prefix = 'mem'}), 'memos', 'the coordinator has the table that is local now');
works('DROP TABLE memos');
is_right('schemas');
works(q{SELECT citus_schema_undistribute('tenant_two')}, 'citus_schema_undistribute()');
is(all_say(q{SELECT relation::regclass FROM dbkit.id_prefix WHERE prefix = 'nts'}), 'tenant_two.notes//', 'the table is the coordinator\'s again');
works('DROP SCHEMA tenant_two CASCADE');
delete $tables{nts};

# Another server, and shards that go there
my $third = make_node('worker3');
add_node($coordinator, $third);
push @workers, $third;
is_right('a server is added');
works(q{SELECT citus_rebalance_start(shard_transfer_mode => 'force_logical'); SELECT citus_rebalance_wait()}, 'citus_rebalance_start()');
is($coordinator->safe_psql('postgres', q{SELECT count(*) > 0 FROM pg_dist_shard JOIN pg_dist_placement USING (shardid) WHERE groupid = 3 AND logicalrelid = 'things'::regclass}), 't', 'moves shards without blocking anybody');
works(q{SELECT citus_split_shard_by_split_points(shardid, ARRAY[((shardminvalue::bigint + shardmaxvalue::bigint) / 2)::text],
	ARRAY[(SELECT nodeid FROM pg_dist_node WHERE groupid = 1), (SELECT nodeid FROM pg_dist_node WHERE groupid = 3)], 'force_logical')
	FROM pg_dist_shard WHERE shardid = (SELECT min(shardid) FROM pg_dist_shard WHERE logicalrelid = 'things'::regclass)}, 'a shard is split without blocking anybody');
is_right('moved and split');

# What is left of shards whose table is undistributed
make_table('leftovers', 'lef', sprintf $distribute, 'leftovers', 'id', 'none');
works(q{SELECT citus_split_shard_by_split_points(shardid, ARRAY[((shardminvalue::bigint + shardmaxvalue::bigint) / 2)::text], ARRAY[nodeid, nodeid], 'block_writes')
	FROM pg_dist_shard JOIN pg_dist_placement USING (shardid) JOIN pg_dist_node USING (groupid) WHERE logicalrelid = 'leftovers'::regclass ORDER BY shardid LIMIT 1}, 'a shard is split');
works(q{SELECT undistribute_table('leftovers')}, 'and its table undistributed');
delete $tables{lef};
is(all_say('SELECT * FROM dbkit.check()'), '///', 'what is left is not taken for a table');
works('DROP TABLE leftovers');

# Metadata
works("SELECT stop_metadata_sync_to_node(nodename, nodeport) $node = 2");
like(said($workers[1], 'SELECT * FROM dbkit.check()'), qr/^id_prefix\|error\|table\|public\.things_\d+\|/m, 'a server whose metadata was dropped does not know its shards');
works("SELECT start_metadata_sync_to_node(nodename, nodeport) $node = 2");
is_right('metadata synced');
works(q{SET citus.metadata_sync_mode = 'nontransactional'; SELECT start_metadata_sync_to_all_nodes()});
is_right('metadata synced over many transactions');
works("SELECT citus_drain_node(nodename, nodeport, shard_transfer_mode => 'block_writes') $node = 3", 'a server is drained');
works("SELECT citus_disable_node(nodename, nodeport, synchronous => true) $node = 3", 'and disabled');
like(said($coordinator, 'ALTER TABLE articles ADD n int'), qr/ERROR:.*bigint/, 'tables are judged meanwhile');
works("SELECT citus_activate_node(nodename, nodeport) $node = 3", 'and activated');
is_right('disabled and activated');
works("CALL citus_cleanup_orphaned_resources(); SELECT citus_remove_node(nodename, nodeport) $node = 3", 'a server is removed');
pop @workers;
is_right('removed');
is(said($coordinator, 'SELECT count(*) FROM things'), '100', 'no row is lost');
is(said($third, 'SELECT count(*) FROM dbkit.check()'), '0', 'and nothing is found on the server that left');

done_testing();
