# Logical replication of all tables between two databases with dbkit: each keeps
# a prefix registry and exemptions of its own, and neither the copy nor the stream stops at it.
use strict;
use warnings FATAL => 'all';
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

# The tables here are about prefixes, not about what is judged at commit
my $settings = join '', map { "ALTER ROLE ALL SET dbkit.rule.$_ = off;" } qw(updated_at_trigger rls_enabled rls_policy);

my $publisher = PostgreSQL::Test::Cluster->new('publisher');
$publisher->init(allows_streaming => 'logical');
$publisher->append_conf('postgresql.conf', 'dbkit.enforce = off');
$publisher->start;
my $subscriber = PostgreSQL::Test::Cluster->new('subscriber');
$subscriber->init;
$subscriber->append_conf('postgresql.conf', 'dbkit.enforce = off');
$subscriber->start;

sub table
{
	my ($name, $prefix) = @_;
	return qq{CREATE TABLE $name (
		id text COLLATE "C" PRIMARY KEY DEFAULT generate_id('$prefix') CHECK (id LIKE '${prefix}_%'),
		created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now(), storytime jsonb);};
}
my $registry = 'SELECT prefix, relation FROM dbkit.id_prefix ORDER BY prefix';

for my $node ($publisher, $subscriber)
{
	$node->safe_psql('postgres', $settings);
	$node->safe_psql('postgres', 'CREATE EXTENSION dbkit; ' . table('organizations', 'org'));
}
$subscriber->safe_psql('postgres', table('local', 'loc'));
$publisher->safe_psql('postgres', 'INSERT INTO organizations DEFAULT VALUES; CREATE PUBLICATION everything FOR ALL TABLES');
my $connection = $publisher->connstr . ' dbname=postgres';
$subscriber->safe_psql('postgres', "CREATE SUBSCRIPTION everything CONNECTION '$connection' PUBLICATION everything");
$subscriber->wait_for_subscription_sync($publisher, 'everything');
is($subscriber->safe_psql('postgres', $registry), "loc|local\norg|organizations", 'the copy leaves the registry alone');

# A table is made on both sides, dropped on one, and its prefix taken by another
$subscriber->safe_psql('postgres', table('users', 'use'));
$publisher->safe_psql('postgres', table('users', 'use') . 'INSERT INTO organizations DEFAULT VALUES');
$publisher->safe_psql('postgres', 'DROP TABLE users');
$publisher->safe_psql('postgres', table('local', 'org') . 'INSERT INTO organizations DEFAULT VALUES');
$publisher->wait_for_catchup('everything');
is($subscriber->safe_psql('postgres', 'SELECT count(*) FROM organizations'), '3', 'the stream does not stop');
is($subscriber->safe_psql('postgres', $registry), "loc|local\norg|organizations\nuse|users", 'and leaves it alone too');
is($publisher->safe_psql('postgres', $registry), 'org|organizations', 'the publisher has its own');


$publisher->safe_psql('postgres', "SELECT dbkit.exempt('public.old', '*', 'older than the conventions'); INSERT INTO organizations DEFAULT VALUES");
$publisher->wait_for_catchup('everything');
is($subscriber->safe_psql('postgres', "SELECT (SELECT count(*) FROM organizations), (SELECT count(*) FROM dbkit.exemption WHERE object = 'public.old')"),
	'4|0', 'exemptions are a database\'s own as well');

done_testing();
