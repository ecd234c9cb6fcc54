# Logical replication between two databases with dbkit: each keeps a prefix
# registry and exemptions of its own and judges its own DDL; neither the copy nor
# the stream stops at them; and who sets updated_at is said by the trigger.
use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::Bin/../lib";
use Conforming qw(good_table);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $publisher = PostgreSQL::Test::Cluster->new('publisher');
my $subscriber = PostgreSQL::Test::Cluster->new('subscriber');
for my $node ($publisher, $subscriber)
{
	$node->init(allows_streaming => 'logical');
	$node->append_conf('postgresql.conf', 'logical_decoding_work_mem = 64kB');
	$node->start;
	$node->safe_psql('postgres', 'CREATE EXTENSION dbkit; CREATE ROLE regress_owner');
}
my $version = int($publisher->safe_psql('postgres', 'SHOW server_version_num') / 10000);
my %connection = map { $_->name => $_->connstr . ' dbname=postgres' } $publisher, $subscriber;

# Give the SQL of a table that conforms.
sub table
{
	my ($name, $prefix) = @_;
	return join '; ', 'BEGIN', good_table($name, $prefix), 'COMMIT;';
}

# Give what a session says, with the SQLSTATE alone where it fails.
sub says
{
	my ($node, $sql) = @_;
	my ($status, $stdout, $stderr) = $node->psql('postgres', "\\set VERBOSITY sqlstate\n$sql");
	return join "\n", grep { length } $stdout, $stderr =~ s/^psql:<stdin>:\d+: //mgr;
}

sub subscribe
{
	my ($name, $with) = @_;
	$subscriber->safe_psql('postgres',
		"CREATE SUBSCRIPTION $name CONNECTION '$connection{publisher}' PUBLICATION $name" . ($with ? " WITH ($with)" : ''));
	$subscriber->wait_for_subscription_sync($publisher, $name);
}

my $registry = 'SELECT prefix, relation::regclass FROM dbkit.id_prefix ORDER BY prefix';
my $count = 'SELECT count(*) FROM organizations';

# All tables, those of dbkit among them
for my $node ($publisher, $subscriber)
{
	$node->safe_psql('postgres', table('organizations', 'org'));
}
is(says($subscriber, 'CREATE TABLE worse (n int)'), 'ERROR:  KD001', 'a subscriber judges its own DDL');
$subscriber->safe_psql('postgres', table('local', 'loc'));
$publisher->safe_psql('postgres', 'INSERT INTO organizations DEFAULT VALUES; CREATE PUBLICATION everything FOR ALL TABLES');
subscribe('everything', $version >= 16 ? 'streaming = parallel' : 'streaming = on');
is($subscriber->safe_psql('postgres', $registry), "loc|local\norg|organizations", 'the copy leaves the registry alone');
is($subscriber->safe_psql('postgres', "$count WHERE dbkit.is_id(id, 'org')"), '1', 'and takes the ids over');

# A database without dbkit cannot follow all tables
$subscriber->safe_psql('postgres', 'CREATE DATABASE bare');
my ($status, $stdout, $stderr) = $subscriber->psql('bare', q{CREATE TABLE organizations (id text PRIMARY KEY);}
	  . "CREATE SUBSCRIPTION bare CONNECTION '$connection{publisher}' PUBLICATION everything");
like($stderr, qr/schema "dbkit" does not exist/, 'a subscriber of all tables needs dbkit');

# A table is made on both sides, dropped on one, and its prefix taken by another
$subscriber->safe_psql('postgres', table('users', 'use'));
$publisher->safe_psql('postgres', table('users', 'use') . 'INSERT INTO organizations DEFAULT VALUES');
$publisher->safe_psql('postgres', 'DROP TABLE users');
$publisher->safe_psql('postgres', q{SET dbkit.rule_levels = 'id_prefix=warning';} . table('local', 'org') . 'INSERT INTO organizations DEFAULT VALUES');
$publisher->wait_for_catchup('everything');
is($subscriber->safe_psql('postgres', $count), '3', 'the stream does not stop');
is($subscriber->safe_psql('postgres', $registry), "loc|local\norg|organizations\nuse|users", 'and leaves it alone too');
is($publisher->safe_psql('postgres', $registry), 'org|organizations', 'the publisher has its own');

$publisher->safe_psql('postgres', q{
	SELECT dbkit.exempt('public.old', '*', 'older than the conventions'), dbkit.exempt('public.older', '*', 'likewise');
	SELECT dbkit.exempt('public.old', '*', 'for another reason');
	SELECT dbkit.unexempt('public.older', '*');
	INSERT INTO organizations DEFAULT VALUES});
$publisher->wait_for_catchup('everything');
is($subscriber->safe_psql('postgres', "SELECT ($count), (SELECT count(*) FROM dbkit.exemption WHERE object LIKE 'public.%')"),
	'4|0', 'exemptions are a database\'s own as well');

# A transaction that is sent before it ends
$publisher->safe_psql('postgres', 'BEGIN; INSERT INTO organizations (storytime) SELECT $${}$$ FROM generate_series(1, 5000); COMMIT;'
	  . table('late', 'lat'));
$publisher->safe_psql('postgres', 'BEGIN; INSERT INTO organizations (storytime) SELECT $${}$$ FROM generate_series(1, 5000);'
	  . 'SAVEPOINT a; DROP TABLE late; ROLLBACK TO a; DROP TABLE late; COMMIT;');
$publisher->wait_for_catchup('everything');
is($subscriber->safe_psql('postgres', $count), '10004', 'a large transaction arrives');
is($subscriber->safe_psql('postgres', $registry), "loc|local\norg|organizations\nuse|users", 'whose rows of the registry do not');
is($subscriber->safe_psql('postgres', 'INSERT INTO organizations DEFAULT VALUES RETURNING dbkit.is_id(id)'), 't', 'the subscriber makes ids of its own beside them');
$subscriber->safe_psql('postgres', 'DROP SUBSCRIPTION everything');
$publisher->safe_psql('postgres', 'DROP PUBLICATION everything; TRUNCATE organizations');
$subscriber->safe_psql('postgres', 'TRUNCATE organizations');

# updated_at: the publisher's, unless the trigger is to fire always
for my $node ($publisher, $subscriber)
{
	$node->safe_psql('postgres', table($_->[0], $_->[1]))
	  for [ 'origin', 'ori' ], [ 'always', 'alw' ], [ 'listed', 'lis' ], [ 'filtered', 'fil' ];
}
$subscriber->safe_psql('postgres', 'ALTER TABLE always ENABLE ALWAYS TRIGGER updated_at');
is(says($subscriber, 'ALTER TABLE origin ENABLE REPLICA TRIGGER updated_at'), 'ERROR:  KD001', 'a trigger for replication alone breaks the rule');
$publisher->safe_psql('postgres', q{
	CREATE PUBLICATION parts FOR TABLE origin, always, listed (id, storytime), filtered WHERE (storytime IS NOT NULL)
		WITH (publish = 'insert, update');
	ALTER TABLE filtered REPLICA IDENTITY FULL});
$publisher->safe_psql('postgres', "INSERT INTO $_ (updated_at) VALUES ('2000-01-01')") for qw(origin always listed filtered);
subscribe('parts');
is($subscriber->safe_psql('postgres', join ' UNION ALL ', map { "SELECT '$_', updated_at < '2020-01-01' FROM $_" } qw(origin always listed filtered)),
	"origin|t\nalways|t\nlisted|f", 'the copy takes the publisher\'s updated_at; without the column it is the default');
$subscriber->safe_psql('postgres', q{BEGIN; SET LOCAL session_replication_role = replica; UPDATE listed SET updated_at = '2000-01-01'; COMMIT});
$publisher->safe_psql('postgres', q{UPDATE origin SET storytime = '{}'; UPDATE always SET storytime = '{}'; UPDATE listed SET storytime = '{}'; UPDATE filtered SET storytime = '{}'});
$publisher->wait_for_catchup('parts');
my $updated = 'SELECT extract(epoch FROM updated_at) FROM';
is($subscriber->safe_psql('postgres', "$updated origin"), $publisher->safe_psql('postgres', "$updated origin"), 'a plain trigger: the publisher\'s time');
cmp_ok($subscriber->safe_psql('postgres', "$updated always"), '>', $publisher->safe_psql('postgres', "$updated always"), 'ENABLE ALWAYS: the subscriber\'s');
is($subscriber->safe_psql('postgres', q{SELECT updated_at = '2000-01-01', storytime FROM listed}), 't|{}', 'a plain trigger and a column list without it: unchanged');
is($subscriber->safe_psql('postgres', "$updated filtered"), $publisher->safe_psql('postgres', "$updated filtered"),
	'a row that begins to pass the filter comes with the publisher\'s');
$subscriber->safe_psql('postgres', 'ALTER TABLE listed ENABLE ALWAYS TRIGGER updated_at');
$publisher->safe_psql('postgres', q{UPDATE listed SET storytime = '[]'});
$publisher->wait_for_catchup('parts');
is($subscriber->safe_psql('postgres', q{SELECT updated_at > '2020-01-01', storytime FROM listed}), 't|[]', 'ENABLE ALWAYS: set where the column is not sent');
is($subscriber->safe_psql('postgres', 'SELECT count(*) FROM dbkit.check()'), '0', 'both are what the conventions want');
$subscriber->safe_psql('postgres', 'DROP SUBSCRIPTION parts');

# dbkit.protect() forces row level security, which binds the table's owner, as whom
# a worker writes from 16 on
for my $node ($publisher, $subscriber)
{
	$node->safe_psql('postgres', table('guarded', 'gua') . q{
		ALTER TABLE guarded OWNER TO regress_owner;
		GRANT ALL ON guarded TO regress_owner;
		SELECT dbkit.protect('guarded', organization_column => 'id', role => 'regress_owner')});
}
$publisher->safe_psql('postgres', 'INSERT INTO guarded DEFAULT VALUES; CREATE PUBLICATION guarded FOR TABLE guarded');
subscribe('guarded', $version >= 16 ? 'run_as_owner = true' : '');
$publisher->safe_psql('postgres', q{UPDATE guarded SET storytime = '{}'});
$publisher->wait_for_catchup('guarded');
is($subscriber->safe_psql('postgres', 'SELECT count(storytime) FROM guarded'), '1', 'as the subscription\'s owner it writes to a protected table');
SKIP:
{
	skip 'before 16 a worker is always the subscription\'s owner', 1 if $version < 16;
	$subscriber->safe_psql('postgres', 'ALTER SUBSCRIPTION guarded SET (run_as_owner = false, disable_on_error = true)');
	$publisher->safe_psql('postgres', q{UPDATE guarded SET storytime = '[]'});
	$subscriber->poll_query_until('postgres', q{SELECT NOT subenabled FROM pg_subscription WHERE subname = 'guarded'});
	like(slurp_file($subscriber->logfile), qr/ERROR:  user "regress_owner" cannot replicate into relation with row-level security enabled: "guarded"/,
		'as the table\'s owner it cannot');
}
$subscriber->safe_psql('postgres', 'ALTER SUBSCRIPTION guarded DISABLE; ALTER SUBSCRIPTION guarded SET (slot_name = NONE); DROP SUBSCRIPTION guarded');

# Both ways
SKIP:
{
	skip 'before 16 a subscription cannot leave out what came from elsewhere', 3 if $version < 16;
	$_->safe_psql('postgres', 'CREATE PUBLICATION mutual FOR TABLE organizations') for $publisher, $subscriber;
	for my $pair ([ $publisher, $subscriber ], [ $subscriber, $publisher ])
	{
		my ($from, $to) = @$pair;
		$to->safe_psql('postgres', "CREATE SUBSCRIPTION mutual_@{[$to->name]} CONNECTION '$connection{$from->name}' PUBLICATION mutual WITH (origin = none, copy_data = false)");
	}
	$_->safe_psql('postgres', 'INSERT INTO organizations (storytime) SELECT $${}$$ FROM generate_series(1, 1000)') for $publisher, $subscriber;
	$publisher->wait_for_catchup('mutual_subscriber');
	$subscriber->wait_for_catchup('mutual_publisher');
	my $all = q{SELECT count(*), count(DISTINCT id), md5(string_agg(id || extract(epoch FROM updated_at)::text, ',' ORDER BY id)) FROM organizations};
	like($publisher->safe_psql('postgres', $all), qr/^2000\|2000\|/, 'ids of two databases do not meet');
	is($subscriber->safe_psql('postgres', $all), $publisher->safe_psql('postgres', $all), 'both have the same rows');
	$publisher->safe_psql('postgres', q{UPDATE organizations SET storytime = '[]'});
	$publisher->wait_for_catchup('mutual_subscriber');
	$subscriber->wait_for_catchup('mutual_publisher');
	is($subscriber->safe_psql('postgres', $all), $publisher->safe_psql('postgres', $all), 'and the same updated_at after an update');
	$_->safe_psql('postgres', "DROP SUBSCRIPTION mutual_@{[$_->name]}") for $publisher, $subscriber;
}

$_->stop for $subscriber, $publisher;
done_testing();
