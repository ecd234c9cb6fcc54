# postgres_fdw: a table whose partitions are on two other servers, dbkit on all
# three.  Who makes the ids, who sets updated_at, what is judged where, and how far
# row level security reaches.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my ($local, $one, $two) = map { PostgreSQL::Test::Cluster->new($_) } qw(local one two);
$_->init, $_->append_conf('postgresql.conf', 'max_prepared_transactions = 5'), $_->start for $local, $one, $two;
$_->safe_psql('postgres', 'CREATE EXTENSION dbkit; CREATE ROLE regress_customer LOGIN') for $local, $one, $two;
if (!$local->safe_psql('postgres', q{SELECT count(*) FROM pg_available_extensions WHERE name = 'postgres_fdw'}))
{
	$_->stop for $local, $one, $two;
	plan skip_all => 'postgres_fdw is not installed';
}

# Give what a session says, with SQLSTATE and DETAIL where it fails.
sub says
{
	my ($node, $sql, %params) = @_;
	my ($status, $stdout, $stderr) = $node->psql('postgres', $sql, %params);
	return join "\n", grep { length } $stdout, $stderr =~ s/^psql:<stdin>:\d+: //mgr;
}

# Give the SQL of the table, with a primary key or in partitions.
sub things
{
	my ($key, $partition) = @_;
	return qq{BEGIN;
		CREATE TABLE things (
			id text COLLATE "C" $key DEFAULT generate_id('thi') CHECK (id LIKE 'thi_%'),
			created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now(), storytime jsonb,
			region text NOT NULL, organization_extid text COLLATE "C") $partition;
		CREATE TRIGGER updated_at BEFORE UPDATE ON things FOR EACH ROW EXECUTE FUNCTION updated_at();
		ALTER TABLE things ENABLE ROW LEVEL SECURITY;
		CREATE POLICY own ON things USING (id = current_user);
		COMMIT;};
}

# Each server has a table of its own, judged there
for my $node ($one, $two)
{
	like(says($node, 'CREATE TABLE things (id text PRIMARY KEY)'), qr/breaks \d+ schema conventions/, $node->name . ' judges its tables');
	is(says($node, things('PRIMARY KEY', '')), '', 'which conform');
}

# Here they are partitions
$local->safe_psql('postgres', 'CREATE EXTENSION postgres_fdw');
for my $node ($one, $two)
{
	my ($name, $host, $port) = ($node->name, $node->host, $node->port);
	$local->safe_psql('postgres', qq{
		CREATE SERVER $name FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '$host', port '$port', dbname 'postgres');
		CREATE USER MAPPING FOR CURRENT_USER SERVER $name});
}
like(says($local, things('', 'PARTITION BY LIST (region)')), qr/breaks 3 schema conventions: primary_key, /,
	'a table whose partitions are foreign can have no primary key');
$local->safe_psql('postgres', q{SELECT dbkit.exempt('public.things', 'primary_key', 'has foreign partitions')});
is(says($local, things('', 'PARTITION BY LIST (region)')), '', 'and so needs an exemption');
my $unguarded = qr/WARNING:  row level security does not guard foreign table "things_one"\n.*WARNING:  .* "things_two"\n/s;
my $made = says($local, join ';', map { "CREATE FOREIGN TABLE things_$_ PARTITION OF things FOR VALUES IN ('$_') SERVER $_ OPTIONS (table_name 'things')" } qw(one two));
like($made, qr/^$unguarded/, 'a foreign partition of a table with row level security gets a warning');
unlike($made, qr/ERROR|convention/, 'and is not judged');
is(says($local, q{CREATE SCHEMA plain; IMPORT FOREIGN SCHEMA public LIMIT TO (things) FROM SERVER one INTO plain;
	CREATE SCHEMA full_; IMPORT FOREIGN SCHEMA public LIMIT TO (things) FROM SERVER one INTO full_ OPTIONS (import_default 'true')}),
	'', 'nor foreign tables');
is(says($local, 'SELECT prefix, relation::regclass FROM dbkit.id_prefix'), 'thi|things', 'which have no prefix, but the partitioned table has');
is(says($local, 'CREATE INDEX ON things (region)'), '', 'an index');
is(says($local, 'SELECT * FROM dbkit.check()'), '', 'and no finding');

# Ids are made here, or on either server, and do not meet
$local->safe_psql('postgres', q{INSERT INTO things (region) SELECT unnest('{one,two}'::text[]) FROM generate_series(1, 500)});
$_->safe_psql('postgres', 'INSERT INTO things (region) SELECT $$' . $_->name . '$$ FROM generate_series(1, 500)') for $one, $two;
is(says($local, q{SELECT count(*), count(DISTINCT id), count(*) FILTER (WHERE tableoid = 'things_one'::regclass) FROM things}), '2000|2000|1000',
	'ids are unique over both servers');
is(says($local, q{SELECT count(DISTINCT dbkit.table_of(id)), min(dbkit.table_of(id)::text) FROM things}), '1|things', 'and all those of one table');
my @made = map { says($_->[0], "INSERT INTO $_->[1] (region) VALUES ('one') RETURNING id") }
  [ $local, 'things' ], [ $one, 'things' ], [ $local, 'things_one' ], [ $local, 'full_.things' ], [ $one, 'things' ];
is(join(' ', @made), join(' ', sort @made), 'one after the other they are in order, whoever made them');
like(says($local, q{INSERT INTO plain.things (region) VALUES ('one')}), qr/null value in column "id"/,
	'IMPORT FOREIGN SCHEMA leaves the default out unless it is asked for');

# updated_at is set by the server that has the row
is(says($local, q{
		BEGIN;
		SELECT pg_sleep(0.01) \g /dev/null
		UPDATE things SET storytime = '{}';
		SELECT region, updated_at > now(), updated_at < clock_timestamp(), count(*) FROM things GROUP BY 1, 2, 3 ORDER BY 1;
		COMMIT}), "one|t|t|1005\ntwo|t|t|1000", 'both servers set updated_at, to their own time');

# What is asked for travels, where it is a constant or dbkit is known to be there as well
sub remote_condition
{
	my ($condition) = @_;
	my $plan = says($local, "EXPLAIN (VERBOSE, COSTS OFF) SELECT id FROM things_one WHERE $condition");
	return $plan =~ /Remote SQL: SELECT .*? WHERE \(+(.*?)\)*$/m ? $1 : 'none';
}
like(remote_condition(q{id >= dbkit.id_lower_bound('thi', '2024-01-10')}), qr/^id >= 'thi_/, 'a bound on the time is sent');
is(remote_condition(q{dbkit.id_prefix(id) = 'thi'}), 'none', 'a function of dbkit is not');
$local->safe_psql('postgres', "ALTER SERVER $_ OPTIONS (ADD extensions 'dbkit')") for qw(one two);
like(remote_condition(q{dbkit.id_prefix(id) = 'thi'}), qr/^dbkit.id_prefix\(id/, 'but with extensions \'dbkit\' it is');
is(says($local, q{SELECT count(*) FROM things WHERE dbkit.id_prefix(id) = 'thi' AND dbkit.is_id(id, 'thi')}), '2005', 'and works there');
is(remote_condition('organization_extid = dbkit.organization_id()'), 'none', 'the context is asked for here');
like(remote_condition('organization_extid = (SELECT dbkit.organization_id())'), qr/^organization_extid = \$1::text/, 'and its value sent from a subquery');

# Row level security is that of the partitioned table here; a context does not travel
$local->safe_psql('postgres', q{
	UPDATE things SET organization_extid = 'org_' || region;
	GRANT SELECT, INSERT, UPDATE ON things TO regress_customer;
	CREATE USER MAPPING FOR regress_customer SERVER one OPTIONS (user 'postgres', password_required 'false');
	CREATE USER MAPPING FOR regress_customer SERVER two OPTIONS (user 'postgres', password_required 'false')} =~ s/'postgres'/q(') . $local->safe_psql('postgres', 'SELECT current_user') . q(')/ger);
like(says($local, q{SELECT dbkit.protect('things', organization_column => 'organization_extid', role => 'regress_customer')}),
	qr/^WARNING:  other policies of table "things" stay in force\n.*"own".*$unguarded/s, 'dbkit.protect() warns');
my %customer = (extra_params => [ '-U', 'regress_customer' ]);
my $entered = q{BEGIN; SELECT dbkit.enter('usr_a', 'org_one') \g /dev/null} . "\n";
is(says($local, "$entered SELECT count(*), min(region), max(region) FROM things", %customer), '1005|one|one', 'the policy holds for foreign rows');
is(says($local, 'SELECT count(*) FROM things', %customer), '0', 'without a context there are none');
is(says($local, "$entered UPDATE things SET storytime = '{}' WHERE region = 'two' RETURNING id", %customer), '', 'nor can they be changed');
is(says($local, "$entered INSERT INTO things (region, organization_extid) VALUES ('two', 'org_two')", %customer), '',
	'but PostgreSQL does not check what is planted in a foreign partition');
is(says($local, "$entered WITH changed AS (UPDATE things SET organization_extid = 'org_two' RETURNING id) SELECT count(*) FROM changed", %customer), '1005',
	'nor what is moved to another tenant');
like(says($local, 'SELECT FROM things_one', %customer), qr/permission denied for foreign table/, 'a foreign partition is guarded by privileges alone');
$one->safe_psql('postgres', q{
	SELECT dbkit.protect('things', organization_column => 'organization_extid', role => 'regress_customer');
	GRANT SELECT ON things TO regress_customer});
$local->safe_psql('postgres', q{ALTER USER MAPPING FOR regress_customer SERVER one OPTIONS (SET user 'regress_customer')});
is(says($local, "$entered SELECT count(*) FROM things", %customer), '0', 'a policy of the remote server sees no context');

$_->stop for $local, $one, $two;
done_testing();
