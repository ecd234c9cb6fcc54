# pg_partman beside dbkit: it makes its partitions LIKE the root and attaches them, detaches
# old ones, and keeps a template; nothing of that is in its way where the root keeps the rules.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->start;
my $version = $node->safe_psql('postgres', q{SELECT split_part(default_version, '.', 1) FROM pg_available_extensions WHERE name = 'pg_partman'});
if (!$version)
{
	$node->stop;
	plan skip_all => 'pg_partman is not installed';
}
$node->safe_psql('postgres', 'CREATE EXTENSION dbkit; CREATE SCHEMA partman; CREATE EXTENSION pg_partman SCHEMA partman');

# Run SQL and return what is said.
sub said
{
	my ($sql) = @_;
	my (undef, $out, $err) = $node->psql('postgres', $sql, on_error_stop => 0);
	return join "\n", grep { /schema convention|ERROR/ } split /\n/, $err;
}

sub partitions { return $node->safe_psql('postgres', q{SELECT count(*) FROM pg_inherits WHERE inhparent = 'events'::regclass}); }
my $findings = q{SELECT DISTINCT rule FROM dbkit.check() WHERE object_identity ~ 'events' ORDER BY 1};

$node->safe_psql('postgres', q{
	BEGIN;
	CREATE TABLE events (id text COLLATE "C" NOT NULL DEFAULT generate_id('evt') CHECK (id LIKE 'evt_%'), created_at timestamptz NOT NULL DEFAULT now(),
		updated_at timestamptz NOT NULL DEFAULT now(), storytime jsonb, PRIMARY KEY (id, created_at)) PARTITION BY RANGE (created_at);
	CREATE TRIGGER updated_at BEFORE UPDATE ON events FOR EACH ROW EXECUTE FUNCTION updated_at();
	ALTER TABLE events ENABLE ROW LEVEL SECURITY;
	CREATE POLICY own ON events USING (id = current_setting('app.organization_id', true));
	CREATE INDEX ON events (updated_at);
	COMMIT});

my %kind = $version < 5 ? (type => 'native', interval => 'daily') : (type => 'range', interval => '1 day');
is(said("SELECT partman.create_parent(p_parent_table := 'public.events', p_control := 'created_at', p_type := '$kind{type}',
	p_interval := '$kind{interval}', p_premake := 2, p_start_partition := (current_date - 4)::text)"), '', 'create_parent makes partitions');
cmp_ok(partitions(), '>', 5, 'which are there');
is($node->safe_psql('postgres', "INSERT INTO events (created_at) SELECT now() - n * interval '1 day' FROM generate_series(0, 4) n;
	SELECT count(*) FROM events"), 5, 'and take rows');

my $before = partitions();
is(said(q{UPDATE partman.part_config SET premake = 5, infinite_time_partitions = true; SELECT partman.run_maintenance()}), '', 'maintenance makes further ones');
cmp_ok(partitions(), '>', $before, 'which are there');
is(said(q{CALL partman.run_maintenance_proc()}), '', 'and so does the procedure, which commits');

# Retention
$before = partitions();
is(said(q{UPDATE partman.part_config SET retention = '2 days', retention_keep_table = true; SELECT partman.run_maintenance()}), '', 'old ones are detached');
cmp_ok(partitions(), '<', $before, 'which are gone from the root');
cmp_ok($node->safe_psql('postgres', q{SELECT count(*) FROM pg_class WHERE relname ~ '^events_p' AND relkind = 'r' AND NOT relispartition}), '>', 0, 'and are tables now');
like($node->safe_psql('postgres', $findings), qr/^updated_at_trigger$/m, 'dbkit.check() shows what is wrong with them');
is($node->safe_psql('postgres', q{SELECT prefix, relation::regclass FROM dbkit.id_prefix}), 'evt|events', 'the root has kept the prefix');
is($node->safe_psql('postgres', q{SELECT dbkit.table_of(generate_id('evt'))}), 'events', 'and is found by it');

# Rows that were in no partition's way
is(said(q{INSERT INTO events (created_at) VALUES (now() + interval '400 days')}), '', 'the default partition takes the rest');
is(said($version < 5 ? q{SELECT partman.partition_data_time('public.events', p_batch_count := 10)} : q{CALL partman.partition_data_proc('public.events')}), '', 'and gives it back');

# A column that the root gets later is in the partitions that come after it
is(said(q{ALTER TABLE events ADD note text; UPDATE partman.part_config SET premake = 7; SELECT partman.run_maintenance()}), '', 'the root may change');
is(said(q{ALTER TABLE events ADD count integer}), q{psql:<stdin>:1: ERROR:  table "public.events" breaks the schema convention "bigint": column "count" is integer; use bigint}, 'as the rules want it');

$node->stop;
done_testing();
