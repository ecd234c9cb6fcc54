# Citus: the coordinator judges tables, and nobody judges their shards.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use CitusCluster qw(make_node make_cluster add_node said);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my ($coordinator, @workers) = make_cluster(2);

# Give what each server has to say.
sub all_say
{
	my ($sql) = @_;
	return join '/', map { said($_, $sql) } $coordinator, @workers;
}

my $common = q{created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now(), storytime jsonb};

# Give the statements of a table with the distribution column in its key.
sub table
{
	my ($name, $prefix, $more) = @_;
	return qq{CREATE TABLE $name (organization_id text COLLATE "C" NOT NULL,
		id text COLLATE "C" DEFAULT generate_id('$prefix') CHECK (id LIKE '${prefix}_%'), $common, PRIMARY KEY (organization_id, id)}
	  . ($more ? ", $more" : '') . ');' . commit_part($name);
}

# Give what COMMIT demands of a table.
sub commit_part
{
	my ($name) = @_;
	return qq{CREATE TRIGGER updated_at BEFORE UPDATE ON $name FOR EACH ROW EXECUTE FUNCTION updated_at();
		ALTER TABLE $name ENABLE ROW LEVEL SECURITY;
		CREATE POLICY own ON $name USING (organization_id = current_user) WITH CHECK (organization_id = current_user);};
}

is(said($coordinator, 'CREATE EXTENSION dbkit'), '', 'the extension is created on the coordinator');
is(all_say(q{SELECT extversion FROM pg_extension WHERE extname = 'dbkit'}), '1.0.0/1.0.0/1.0.0', 'and with that on every server');
is(all_say(q{SELECT count(*) FROM pg_event_trigger WHERE evtname ~ '^dbkit' AND evtenabled <> 'D'}), '4/4/4', 'with event triggers');

is( said(
		$coordinator,
		"BEGIN; CREATE TABLE organizations (id text COLLATE \"C\" PRIMARY KEY DEFAULT generate_id('org') CHECK (id LIKE 'org_%'), $common);"
		  . commit_part('organizations') =~ s/organization_id/id/gr
		  . q{SELECT create_distributed_table('organizations', 'id'); COMMIT;}
	),
	'',
	'a distributed table in one transaction');
is(said($coordinator, 'BEGIN;' . table('documents', 'doc', 'title text') . q{COMMIT; SELECT create_distributed_table('documents', 'organization_id');}),
	'', 'and in two, with the distribution column in the key');
is(said($coordinator, 'ALTER TABLE documents ADD FOREIGN KEY (organization_id) REFERENCES organizations(id) ON DELETE CASCADE'), '', 'a foreign key');
is(all_say('SELECT * FROM dbkit.check()'), '//', 'nothing is found anywhere');
is(all_say('SELECT prefix, relation::regclass FROM dbkit.id_prefix ORDER BY 1'), join('/', ("doc|documents\norg|organizations") x 3), 'the registry has the tables on every server');
is(all_say(q{SELECT count(*) > 0 FROM pg_class WHERE relname ~ '^documents_\d+$'}), 'f/t/t', 'the shards are on the workers');

like(said($coordinator, 'ALTER TABLE documents ADD n int'), qr/ERROR:.*documents.*bigint/s, 'a change that breaks a rule is refused');
is(said($coordinator, 'ALTER TABLE documents ADD n bigint'), '', 'one that does not is done');
is($workers[0]->safe_psql('postgres', q{SELECT bool_and(attnum > 0) FROM pg_attribute WHERE attname = 'n' AND attrelid::regclass::text ~ '^documents_\d+$'}), 't', 'on the shards, too');
is(said($coordinator, q{INSERT INTO organizations (id) SELECT 'org_' || i FROM generate_series(1, 20) i; INSERT INTO documents (organization_id, title) SELECT id, 'x' FROM organizations; UPDATE documents SET title = 'y';
	SELECT count(*), bool_and(updated_at >= created_at) FROM documents}), '20|t', 'rows, and updated_at() on the shards');

like(said($coordinator, 'CREATE TABLE bad (organization_id text COLLATE "C" NOT NULL, title text)'),
	qr/ERROR:.*primary_key.*HINT:.*PRIMARY KEY \(organization_id, id\)/s, 'a bad table is refused, and what to write has the distribution column in the key');

is(said($coordinator, q{BEGIN; SELECT dbkit.create_table('notes', 'organization_id text COLLATE "C" NOT NULL REFERENCES organizations(id) ON DELETE CASCADE, body text'); SELECT create_distributed_table('notes', 'organization_id'); COMMIT}), "notes\n", 'dbkit.create_table() writes one that can be distributed');
is($coordinator->safe_psql('postgres', q{SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = 'notes'::regclass AND contype = 'p'}), 'PRIMARY KEY (organization_id, id)', 'with the distribution column in the key');
like(said($coordinator, 'BEGIN;' . table('wrong', 'wro', 'n bigint') =~ s/\(organization_id, id\)/(n, id)/r . 'COMMIT'), qr/ERROR:.*primary_key.*is not the whole primary key/s, 'another column in the key is refused');

# Reference tables, and local tables that reference them
is( said(
		$coordinator,
		"BEGIN; CREATE TABLE countries (id text COLLATE \"C\" PRIMARY KEY DEFAULT generate_id('cou') CHECK (id LIKE 'cou_%'), $common);"
		  . commit_part('countries') =~ s/organization_id/id/gr
		  . q{SELECT create_reference_table('countries'); COMMIT;}
	),
	'',
	'a reference table');
is( said(
		$coordinator,
		"BEGIN; CREATE TABLE cities (id text COLLATE \"C\" PRIMARY KEY DEFAULT generate_id('cit') CHECK (id LIKE 'cit_%'), $common, country_id text COLLATE \"C\" NOT NULL REFERENCES countries(id)); CREATE INDEX ON cities (country_id);"
		  . commit_part('cities') =~ s/organization_id/id/gr
		  . q{COMMIT;}
	) =~ s/^NOTICE:.*\nHINT:.*//rm,
	'',
	'a local table that references it, which Citus makes a shard and a shell');
like($coordinator->safe_psql('postgres', q{SELECT relname FROM pg_class WHERE relname ~ '^cities_\d+$'}), qr/^cities_\d+$/, 'it did');
is(said($coordinator, q{SELECT prefix, relation::regclass FROM dbkit.id_prefix WHERE prefix = 'cit'}), 'cit|cities', 'the shell has its prefix');
is(all_say('SELECT * FROM dbkit.check()'), '//', 'nothing is found anywhere');

# A node that is added later
my $third = make_node('worker3');
add_node($coordinator, $third);
push @workers, $third;
is(said($third, q{SELECT prefix, relation::regclass FROM dbkit.id_prefix ORDER BY 1}), "cit|cities\ncou|countries\ndoc|documents\nnot|notes\norg|organizations", 'a server that is added has the registry');
is(said($third, 'SELECT * FROM dbkit.check()'), '', 'and nothing is found there');

# Moves, splits, rebalancing
$coordinator->safe_psql('postgres', 'SELECT replicate_reference_tables()');
for my $mode ('block_writes', 'force_logical')
{
	like(
		said($coordinator, qq{SELECT citus_move_shard_placement(s.shardid, s.nodename, s.nodeport, '} . $third->host . q{', } . $third->port . qq{, '$mode')
		FROM citus_shards s WHERE s.table_name = 'documents'::regclass AND s.nodeport <> } . $third->port . ' LIMIT 1'),
		qr/^(?!.*ERROR)/s,
		"a shard moves ($mode)");
}
unlike(said($coordinator, q{SELECT citus_split_shard_by_split_points(min(shardid), ARRAY[((min(shardminvalue::bigint) FILTER (WHERE TRUE)) + 10)::text], ARRAY[min(nodeid), min(nodeid)], 'block_writes')
	FROM pg_dist_shard JOIN pg_dist_placement USING (shardid) JOIN pg_dist_node USING (groupid) WHERE shardid = (SELECT min(shardid) FROM pg_dist_shard WHERE logicalrelid = 'documents'::regclass)}), qr/ERROR/, 'a shard is split');
unlike(said($coordinator, q{SELECT rebalance_table_shards()}), qr/ERROR/, 'rebalancing');
is(said($coordinator, 'SELECT count(*) FROM documents'), '20', 'no row is lost');
is(all_say('SELECT * FROM dbkit.check()'), '///', 'nothing is found anywhere');

# Tables are made anew
said($coordinator, 'CALL citus_cleanup_orphaned_resources()');
unlike(said($coordinator, q{SELECT alter_distributed_table('documents', shard_count => 8, cascade_to_colocated => true)}), qr/ERROR/, 'alter_distributed_table()');
is(all_say(q{SELECT relation::regclass FROM dbkit.id_prefix WHERE prefix = 'doc'}), 'documents/documents/documents/documents', 'the registry follows');
unlike(said($coordinator, q{SELECT undistribute_table('documents', cascade_via_foreign_keys => true)}), qr/ERROR/, 'undistribute_table()');
is(all_say(q{SELECT relation::regclass FROM dbkit.id_prefix WHERE prefix = 'doc'}), 'documents///', 'the registry follows');
is(all_say('SELECT * FROM dbkit.check()'), '///', 'nothing is found anywhere');

done_testing();
