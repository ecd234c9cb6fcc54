# The trigger in a logical replication worker, which applies one row at a time
# and builds the executor's state anew for each: tables of different layouts,
# mixed in one transaction, and a partitioned one.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $publisher = PostgreSQL::Test::Cluster->new('publisher');
$publisher->init(allows_streaming => 'logical');
$publisher->start;
my $subscriber = PostgreSQL::Test::Cluster->new('subscriber');
$subscriber->init;
$subscriber->append_conf('postgresql.conf', 'dbkit.enforce = off');
$subscriber->start;

my $tables = q{
	CREATE TABLE narrow (id int PRIMARY KEY, updated_at timestamptz DEFAULT '2000-01-01 00:00Z');
	CREATE TABLE wide (id int PRIMARY KEY, label text, other bigint, updated_at timestamptz DEFAULT '2000-01-01 00:00Z', last text);
	CREATE TABLE parted (id int PRIMARY KEY, label text, updated_at timestamptz DEFAULT '2000-01-01 00:00Z') PARTITION BY RANGE (id);
	CREATE TABLE parted_low (updated_at timestamptz DEFAULT '2000-01-01 00:00Z', id int NOT NULL, label text);
	ALTER TABLE parted ATTACH PARTITION parted_low FOR VALUES FROM (0) TO (10);
	CREATE TABLE parted_high PARTITION OF parted FOR VALUES FROM (10) TO (20);
};
$publisher->safe_psql('postgres', $tables);
$publisher->safe_psql(
	'postgres', q{
	INSERT INTO narrow (id) VALUES (1), (2);
	INSERT INTO wide (id, label, last) VALUES (1, 'a', 'z'), (2, NULL, 'z');
	INSERT INTO parted (id, label) VALUES (1, 'low'), (11, 'high');
	CREATE PUBLICATION everything FOR ALL TABLES WITH (publish_via_partition_root = true);
});

$subscriber->safe_psql('postgres', 'CREATE EXTENSION dbkit');
$subscriber->safe_psql('postgres', $tables);
for my $table (qw(narrow wide parted))
{
	$subscriber->safe_psql('postgres',
		"CREATE TRIGGER updated_at BEFORE UPDATE ON $table FOR EACH ROW EXECUTE FUNCTION updated_at()");
}
$subscriber->safe_psql('postgres', "ALTER TABLE $_ ENABLE ALWAYS TRIGGER updated_at")
  for qw(narrow wide parted parted_low parted_high);
my $connection = $publisher->connstr . ' dbname=postgres';
$subscriber->safe_psql('postgres', "CREATE SUBSCRIPTION everything CONNECTION '$connection' PUBLICATION everything");
$subscriber->wait_for_subscription_sync($publisher, 'everything');

$publisher->safe_psql(
	'postgres', q{
	BEGIN;
	UPDATE narrow SET id = id + 10;
	UPDATE wide SET label = 'changed', other = id WHERE id = 1;
	UPDATE narrow SET id = id + 10 WHERE id = 11;
	UPDATE wide SET last = 'changed' WHERE id = 2;
	UPDATE parted SET label = 'changed';
	COMMIT;
});
$publisher->wait_for_catchup('everything');

is( $subscriber->safe_psql(
		'postgres', q{
	SELECT id, updated_at > '2020-01-01 00:00Z' FROM narrow ORDER BY id;
	SELECT id, label, other, updated_at > '2020-01-01 00:00Z', last FROM wide ORDER BY id;
	SELECT tableoid::regclass, id, label, updated_at > '2020-01-01 00:00Z' FROM parted ORDER BY id}),
	"12|t\n21|t\n1|changed|1|t|z\n2|||t|changed\nparted_low|1|changed|t\nparted_high|11|changed|t",
	'the subscriber sets its own time in every table');
is( $publisher->safe_psql(
		'postgres', q{SELECT count(*) FROM narrow WHERE updated_at = '2000-01-01 00:00Z'}),
	'2',
	'the publisher, without triggers, has the old one');

$publisher->safe_psql('postgres', 'ALTER TABLE wide DROP COLUMN other');
$subscriber->safe_psql('postgres', 'ALTER TABLE wide DROP COLUMN other, ADD COLUMN extra int DEFAULT 5');
$subscriber->safe_psql('postgres', q{ALTER TABLE wide DISABLE TRIGGER updated_at;
	UPDATE wide SET updated_at = '2000-01-01 00:00Z'; ALTER TABLE wide ENABLE ALWAYS TRIGGER updated_at});
$publisher->safe_psql('postgres', q{UPDATE wide SET label = 'again'});
$publisher->wait_for_catchup('everything');
is( $subscriber->safe_psql('postgres', q{SELECT id, label, updated_at > '2020-01-01 00:00Z', last, extra FROM wide ORDER BY id}),
	"1|again|t|z|5\n2|again|t|changed|5",
	'the same worker goes on after the table was altered');

done_testing();
