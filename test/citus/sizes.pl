# Citus: the size of a distributed table is that of its shards, for the rules that ask for sizes.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use CitusCluster qw(make_cluster said);
use Conforming qw(good_table);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my ($coordinator, @workers) = make_cluster(2);
my @as_owner = (extra_params => [ '-U', 'regress_owner' ]);
my $rules = q{blocking_validation=error, blocking_index=error, table_rewrite=error, lock_timeout=warning, breaking_change=error};
$coordinator->safe_psql('postgres', 'CREATE EXTENSION dbkit; CREATE ROLE regress_owner LOGIN; GRANT CREATE ON SCHEMA public TO regress_owner');
$coordinator->safe_psql('postgres', qq{ALTER DATABASE postgres SET dbkit.large_table_size = '1MB'; ALTER DATABASE postgres SET dbkit.rule_levels = '$rules'; ALTER DATABASE postgres SET lock_timeout = '5s'; ALTER DATABASE postgres SET statement_timeout = '60s'});

# Give an empty table, which is distributed.
sub make_table
{
	my ($name, $prefix) = @_;
	is(said($coordinator, join('; ', 'BEGIN', good_table($name, $prefix, 'n bigint, title text'), "SELECT 1 FROM create_distributed_table('$name', 'id')", 'COMMIT;'), @as_owner), '1', "table $name");
}

make_table($$_[0], $$_[1]) for [ 'papers', 'pap' ], [ 'others', 'oth' ];
is(said($coordinator, 'CREATE INDEX papers_title_idx ON papers (title); ALTER TABLE papers RENAME n TO m; ALTER TABLE papers RENAME m TO n', @as_owner), '', 'an empty table is not large, and no application breaks');

$coordinator->safe_psql('postgres', q{INSERT INTO papers (n, title) SELECT i, repeat('x', 200) FROM generate_series(1, 10000) i; INSERT INTO others (n) VALUES (1)});
is($coordinator->safe_psql('postgres', q{SELECT pg_relation_size('papers')}), '0', 'the table on the coordinator is empty');
my $index = 'CREATE INDEX papers_n_idx ON papers (n)';
my $large = qr/ERROR:.*blocks writes to a table of \d+ (?:kB|MB), more than 1024 kB/;
like(said($coordinator, $index, @as_owner), $large, 'an index of a large table is refused');
like(said($coordinator, q{SET dbkit.rule_levels = 'table_rewrite=error'; ALTER TABLE papers ALTER n TYPE numeric}), qr/ERROR:.*rewrites a table of \d+ (?:kB|MB)/, 'and a rewrite');
like(said($coordinator, 'ALTER TABLE papers ALTER title SET NOT NULL', @as_owner), qr/ERROR:.*SET NOT NULL blocks everybody/, 'and a constraint that reads all rows');
like(said($coordinator, 'ALTER TABLE papers RENAME n TO m', @as_owner), qr/ERROR:.*a running application that uses the old name fails/, 'and a rename');
is(said($coordinator, 'CREATE INDEX CONCURRENTLY papers_n_idx ON papers (n); DROP INDEX CONCURRENTLY papers_n_idx', @as_owner), '', 'an index that blocks nobody is built');
like(said($coordinator, 'SET lock_timeout = 0; ALTER TABLE papers ADD o bigint', @as_owner), qr/^WARNING:.*lock_timeout is not set/s, 'lock_timeout is asked for');
is(said($coordinator, 'ALTER TABLE papers ADD p bigint', @as_owner), '', 'and what blocks nobody for long is done');
is(said($coordinator, 'CREATE INDEX others_n_idx ON others (n)', @as_owner), '', 'a small table is not large');

# Within a function, where Citus works, too, and for who calls himself Citus
is(said($coordinator, "BEGIN; DO \$\$ BEGIN $index; END \$\$; ROLLBACK", @as_owner), '', 'in a DO block changes are not judged');
is(said($coordinator, join('; ', 'BEGIN', good_table('locals', 'loc', 'n bigint, title text'), q{COMMIT; INSERT INTO locals (n, title) SELECT n, title FROM papers}), @as_owner), '', 'a table of the coordinator');
$index =~ s/papers/locals/g;
like(said($coordinator, $index, @as_owner), $large, 'an index of it is refused');
is(said($coordinator, "BEGIN; $index; ROLLBACK", connstr => $coordinator->connstr('postgres') . q{ user=regress_owner application_name='citus_internal gpid=10000000001'}), '', 'nor on what may be a connection of Citus');
$index =~ s/locals/papers/g;

# Within a transaction
like(said($coordinator, "BEGIN; ALTER TABLE papers ADD q bigint; $index", @as_owner), $large, 'a table that the transaction changed before is large still');
like(said($coordinator, "BEGIN; SELECT count(*) FROM papers; $index", @as_owner), $large, 'one that it read, too');
like(said($coordinator, "BEGIN; SAVEPOINT one; ALTER TABLE papers ADD q bigint; ROLLBACK TO one; $index", @as_owner), $large, 'also after a savepoint is rolled back');
is(said($coordinator, "BEGIN; LOCK TABLE papers; $index; ROLLBACK", @as_owner), '', 'one that it has locked against everybody is not asked for its size');
is(said($coordinator, 'BEGIN; TRUNCATE papers; ALTER TABLE papers ALTER title SET NOT NULL; ROLLBACK', @as_owner), '', 'nor one that it truncated');
is(said($coordinator, "BEGIN; UPDATE papers SET n = 1; $index; ROLLBACK", @as_owner), '', 'after an UPDATE of all shards Citus does not tell');
is(said($coordinator, 'BEGIN; LOCK TABLE papers; SELECT count(*) FROM dbkit.fixes(); ROLLBACK') =~ s/\d+/N/r, 'N', 'dbkit.fixes() does not wait for the transaction that it is called in');
is(said($coordinator, 'BEGIN; LOCK TABLE papers; DO $$ BEGIN PERFORM dbkit.fixes(); END $$; ROLLBACK'), '', 'nor in a function');

like(said($coordinator, q{SET dbkit.max_lock_time = 1; BEGIN; LOCK TABLE papers IN SHARE MODE; SELECT pg_sleep(0.01); COMMIT}),
	qr/WARNING:.*"public.papers".*kept writers out/s, 'a lock that was held long is reported at COMMIT');
is(said($coordinator, q{SET dbkit.max_lock_time = 1; BEGIN; UPDATE papers SET n = 3; LOCK TABLE papers IN SHARE MODE; SELECT pg_sleep(0.01); COMMIT; SELECT DISTINCT n FROM papers}),
	"\n3", 'not where Citus did not tell; what was changed is');

# While somebody else has locked it
my $other = $coordinator->background_psql('postgres');
$other->query_safe('BEGIN; LOCK TABLE papers');
like(said($coordinator, "SET lock_timeout = '100ms'; $index", @as_owner), qr/^ERROR:  canceling statement due to lock timeout/, 'who waits for a lock waits no longer than lock_timeout');
$other->query_safe('ROLLBACK');
$other->quit;

# A reference table, a local one, partitions
is(said($coordinator, join('; ', 'BEGIN', good_table('countries', 'cou', 'name text'), q{SELECT 1 FROM create_reference_table('countries')}, 'COMMIT;'), @as_owner), '1', 'a reference table');
$coordinator->safe_psql('postgres', q{INSERT INTO countries (name) SELECT repeat('x', 200) FROM generate_series(1, 10000) i});
like(said($coordinator, 'CREATE INDEX ON countries (name)', @as_owner), $large, 'is large as well');
is( said(
		$coordinator,
		q{BEGIN; CREATE TABLE events (id text COLLATE "C" DEFAULT generate_id('evt') CHECK (id LIKE 'evt_%'), created_at timestamptz NOT NULL DEFAULT now(),
		updated_at timestamptz NOT NULL DEFAULT now(), storytime jsonb, title text, PRIMARY KEY (id, created_at)) PARTITION BY RANGE (created_at);
		CREATE TRIGGER updated_at BEFORE UPDATE ON events FOR EACH ROW EXECUTE FUNCTION updated_at();
		ALTER TABLE events ENABLE ROW LEVEL SECURITY; CREATE POLICY own ON events USING (id = current_user) WITH CHECK (id = current_user);
		SELECT 1 FROM create_distributed_table('events', 'id'); CREATE TABLE events_all PARTITION OF events DEFAULT; COMMIT}
	),
	'1',
	'a partitioned table');
$coordinator->safe_psql('postgres', q{INSERT INTO events (title) SELECT repeat('x', 200) FROM generate_series(1, 10000) i});
like(said($coordinator, 'CREATE INDEX ON events (title)'), $large, 'is as large as its partitions');

# A server that does not answer
$workers[1]->stop;
like(said($coordinator, $index, @as_owner), qr/ERROR:  connection to the remote node/, 'where a server does not answer, the error is that of Citus');

done_testing();
