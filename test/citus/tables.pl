# Citus: tables of every kind, made by whom and how it may be, and what dbkit does with them.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use CitusCluster qw(make_cluster said);
use Conforming qw(columns good_table);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my ($coordinator, @workers) = make_cluster(2);
$coordinator->safe_psql('postgres', 'CREATE EXTENSION dbkit');
$coordinator->safe_psql('postgres', 'CREATE ROLE regress_owner LOGIN');
$coordinator->safe_psql('postgres', 'GRANT CREATE ON SCHEMA public TO regress_owner');
my @as_owner = (extra_params => [ '-U', 'regress_owner' ]);

# Give what each server has to say.
sub all_say
{
	my ($sql) = @_;
	return join '/', map { said($_, $sql) } $coordinator, @workers;
}

# Give the statements of a table that keeps all rules, and is distributed.
sub distributed
{
	my ($name, $prefix, $more) = @_;
	return join '; ', 'BEGIN', good_table($name, $prefix, $more), "SELECT 1 FROM create_distributed_table('$name', 'id')", 'COMMIT;';
}

# An owner who is no superuser
is(said($coordinator, distributed('things', 'thi'), @as_owner), '1', 'an owner who is no superuser makes a distributed table');
is(all_say('SELECT prefix, relation::regclass FROM dbkit.id_prefix'), 'thi|things/thi|things/thi|things', 'the registry has it on every server');
is(all_say('SELECT * FROM dbkit.check()'), '//', 'and nothing is found');
is(said($coordinator, 'ALTER TABLE things ADD size bigint; CREATE INDEX ON things (size); COMMENT ON TABLE things IS $$x$$', @as_owner), '', 'it can be changed');
like(said($coordinator, 'ALTER TABLE things ADD n int', @as_owner), qr/ERROR:.*bigint/, 'but not so that it breaks a rule');

# Many shards at a time
is(said($coordinator, 'SET citus.shard_count = 32; SET citus.force_max_query_parallelization = on; ' . distributed('many', 'man')), '1', '32 shards over many connections do not wait for each other');
is(all_say('SELECT count(*) FROM dbkit.check()'), '0/0/0', 'and nothing is found');

# Who pretends to be Citus
for my $as ('citus_internal gpid=10000000001', 'citus_rebalancer gpid=10000000001')
{
	my $connection = $coordinator->connstr('postgres') . " user=regress_owner application_name='$as'";
	like(said($coordinator, 'CREATE TABLE evil_102008 (n int)', connstr => $connection), qr/ERROR:.*breaks/s, "who calls himself \"$as\" makes no shard of no table");
	like(said($coordinator, 'CREATE TABLE things_999999 (n int)', connstr => $connection), qr/ERROR:.*breaks/s, 'nor one with a number that Citus does not know');
	like(said($coordinator, 'CREATE TABLE evil (n int)', connstr => $connection), qr/ERROR:.*breaks/s, 'nor any other table');
}
like(said($coordinator, 'CREATE TABLE report_2024 (n int)'), qr/ERROR:.*breaks/s, 'a table whose name ends in a number is judged');
is(said($coordinator, join '; ', 'BEGIN', good_table('report_2024', 'rep'), 'COMMIT'), '', 'and may be made');
is(said($coordinator, q{SELECT relation::regclass FROM dbkit.id_prefix WHERE prefix = 'rep'}), 'report_2024', 'its prefix is its own');

# What functions make is judged at COMMIT
like(said($coordinator, 'BEGIN; DO $$ BEGIN CREATE TABLE bad (n int); END $$; SELECT 1; COMMIT; SELECT 2'), qr/^1\n2\nERROR:.*"public.bad" breaks.*bigint|^1\n.*ERROR:.*"public.bad" breaks/s, 'what a function makes is judged when the transaction commits');
is(said($coordinator, q{SELECT to_regclass('bad')}), '', 'and refused');
is(said($coordinator, 'BEGIN; DO $$ BEGIN CREATE TABLE bad (n int); DROP TABLE bad; END $$; COMMIT'), '', 'unless it is gone by then');
like(said($coordinator, q{DO $$ BEGIN CREATE TABLE same (} . columns('thi') . q{); ALTER TABLE same ENABLE ROW LEVEL SECURITY; END $$}), qr/ERROR:.*prefix "thi" belongs to table "public.things"/s, 'a prefix that is taken is refused');

# Partitions
is( said(
		$coordinator,
		q{BEGIN; CREATE TABLE events (id text COLLATE "C" DEFAULT generate_id('evt') CHECK (id LIKE 'evt_%'), created_at timestamptz NOT NULL DEFAULT now(),
		updated_at timestamptz NOT NULL DEFAULT now(), storytime jsonb, PRIMARY KEY (id, created_at)) PARTITION BY RANGE (created_at);
		CREATE TRIGGER updated_at BEFORE UPDATE ON events FOR EACH ROW EXECUTE FUNCTION updated_at();
		ALTER TABLE events ENABLE ROW LEVEL SECURITY; CREATE POLICY own ON events USING (id = current_user) WITH CHECK (id = current_user);
		SELECT 1 FROM create_distributed_table('events', 'id'); COMMIT}
	),
	'1',
	'a partitioned table is distributed');
is(said($coordinator, q{SELECT create_time_partitions('events', '1 month', '2030-01-01', '2029-10-01')}), 't', 'create_time_partitions()');
is(all_say(q{SELECT count(*), bool_and(relrowsecurity) FROM pg_class WHERE relname ~ '^events_p\d+_\d+$'}), '3|t/3|t/3|t', 'the partitions are protected as the table is');
is(said($workers[0], q{SELECT bool_and(c.relrowsecurity AND EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid)) FROM pg_class c WHERE relname ~ '^events_p\d+_\d+_\d+$'}), 't', 'and so are their shards');
is(all_say('SELECT * FROM dbkit.check()'), '//', 'nothing is found');

# Tables of schemas
is(said($coordinator, 'SET citus.enable_schema_based_sharding = on; CREATE SCHEMA tenant_one; ' . join '; ', 'BEGIN', good_table('tenant_one.notes', 'nts'), 'COMMIT'), '', 'a table of a schema that is one shard');
is(all_say('SELECT * FROM dbkit.check()'), '//', 'nothing is found');
is(all_say(q{SELECT relation::regclass FROM dbkit.id_prefix WHERE prefix = 'nts'}), join('/', ('tenant_one.notes') x 3), 'the registry has it');

# Level "fix", on all shards
is(said($coordinator, q{SET dbkit.rule_levels = 'storytime=fix, updated_at_trigger=fix'; BEGIN; CREATE TABLE fixed (id text COLLATE "C" PRIMARY KEY DEFAULT generate_id('fix') CHECK (id LIKE 'fix_%'),
	created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now()); ALTER TABLE fixed ENABLE ROW LEVEL SECURITY; CREATE POLICY own ON fixed USING (id = current_user) WITH CHECK (id = current_user);
	SELECT 1 FROM create_distributed_table('fixed', 'id'); COMMIT}) =~ s/^NOTICE:.*\n?//mgr =~ s/\nDETAIL:.*//sr, '1', 'what is at level fix is fixed');
is(said($workers[0], q{SELECT bool_and(EXISTS (SELECT FROM pg_attribute a WHERE attrelid = c.oid AND attname = 'storytime') AND EXISTS (SELECT FROM pg_trigger t WHERE tgrelid = c.oid AND tgname LIKE 'updated_at%')) FROM pg_class c WHERE relkind = 'r' AND relname ~ '^fixed(_\d+)?$'}), 't', 'on the shards, too');

# Enum tables
is(said($coordinator, q{BEGIN; CREATE TABLE status_enum (value text PRIMARY KEY); SELECT 1 FROM create_reference_table('status_enum'); COMMIT; INSERT INTO status_enum VALUES ('new'), ('done')}, @as_owner), '1', 'an enum table is a reference table');
is(said($coordinator, q{ALTER TABLE things ADD status text; BEGIN; ALTER TABLE things ADD CONSTRAINT things_status_fkey FOREIGN KEY (status) REFERENCES status_enum(value); CREATE INDEX ON things (status); COMMIT}), '', 'a distributed table references it');
$coordinator->safe_psql('postgres', q{INSERT INTO things (status) SELECT 'new' FROM generate_series(1, 20)});
my $parallel = 'SET citus.force_max_query_parallelization = on;';
like(said($coordinator, $parallel . q{SELECT dbkit.rename_enum_value('status_enum', 'new', 'fresh')}), qr/^(?!.*ERROR)/s, 'rename_enum_value() over the shards');
is($coordinator->safe_psql('postgres', q{SELECT DISTINCT status FROM things}), 'fresh', 'renames all');
is(said($coordinator, q{SET dbkit.enforce = off; ALTER TABLE status_enum OWNER TO current_user}), '', 'Citus has a connection for each owner');
like(said($coordinator, q{SELECT dbkit.rename_enum_value('status_enum', 'fresh', 'new')}), qr/ERROR:.*violates foreign key constraint/s, 'so a table of another owner does not see the new value: nothing is renamed');
like(said($coordinator, $parallel . q{SELECT dbkit.add_enum_value('status_enum', 'late')}), qr/^(?!.*ERROR)/s, 'add_enum_value()');
like(said($coordinator, $parallel . q{SELECT dbkit.drop_enum_value('status_enum', 'late')}), qr/^(?!.*ERROR)/s, 'drop_enum_value()');

# The baseline, exemptions, and what is made anew
$coordinator->safe_psql('postgres', q{SET dbkit.enforce = off; CREATE TABLE old (n int PRIMARY KEY); SELECT create_distributed_table('old', 'n')});
like(said($coordinator, 'SELECT * FROM dbkit.check()'), qr/public\.old/, 'dbkit.check() finds what is wrong with a distributed table');
unlike(said($coordinator, 'SELECT * FROM dbkit.check()'), qr/old_\d/, 'and nothing of its shards');
like(said($coordinator, q{SELECT alter_distributed_table('old', shard_count => 8)}), qr/^(?!.*ERROR)/s, 'a table that is made anew keeps its faults');
like(said($coordinator, 'SELECT dbkit.baseline()'), qr/^\d+$/, 'baseline()');
is(said($coordinator, 'SELECT * FROM dbkit.check()'), '', 'then nothing is found');

# The end
like(said($coordinator, 'DROP TABLE things'), qr/^(?!.*ERROR)/s, 'a table is dropped');
is(all_say(q{SELECT count(*) FROM dbkit.id_prefix WHERE prefix = 'thi'}), '0/0/0', 'and its prefix is free on every server');
is(said($coordinator, 'SET client_min_messages = error; DROP EXTENSION dbkit CASCADE'), '', 'the extension can be dropped');
is(all_say(q{SELECT count(*) FROM pg_extension WHERE extname = 'dbkit'}), '0/0/0', 'on every server');

done_testing();
