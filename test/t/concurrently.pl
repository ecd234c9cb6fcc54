# Statements that run in several transactions cannot be undone at their end:
# they are warned of, and done.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', 'restart_after_crash = on');
$node->start;

# Give a session's output and errors.
sub says
{
	my ($sql) = @_;
	my ($status, $stdout, $stderr) = $node->psql('postgres', "\\set VERBOSITY terse\n$sql");
	return join "\n", grep { length } $stdout, $stderr =~ s/^psql:<stdin>:\d+: //mgr;
}

my $columns = q{
	created_at timestamptz NOT NULL DEFAULT now(),
	updated_at timestamptz NOT NULL DEFAULT now(),
	storytime jsonb};
my $rest = q{
	CREATE TRIGGER updated_at BEFORE UPDATE ON %1$s FOR EACH ROW EXECUTE PROCEDURE updated_at();
	ALTER TABLE %1$s ENABLE ROW LEVEL SECURITY;
	CREATE POLICY own ON %1$s USING (id = current_user);};
$node->safe_psql('postgres', "CREATE EXTENSION dbkit;
	SET dbkit.enforce = off;
	CREATE TABLE legacy (n int, m int);
	INSERT INTO legacy SELECT i, 1 FROM generate_series(1, 1000) AS i;
	SET dbkit.enforce = on;
	BEGIN;
	CREATE TABLE bosses (id text COLLATE \"C\" PRIMARY KEY DEFAULT generate_id('bos') CHECK (id LIKE 'bos_%'), $columns);"
	  . sprintf($rest, 'bosses') . "
	CREATE TABLE people (id text COLLATE \"C\" PRIMARY KEY DEFAULT generate_id('peo') CHECK (id LIKE 'peo_%'), $columns,
		boss_id text COLLATE \"C\" REFERENCES bosses);
	CREATE INDEX people_boss ON people (boss_id);" . sprintf($rest, 'people') . "
	CREATE TABLE parted (id text COLLATE \"C\" DEFAULT generate_id('par') CHECK (id LIKE 'par_%'), $columns,
		PRIMARY KEY (id, created_at)) PARTITION BY RANGE (created_at);" . sprintf($rest, 'parted') . "
	CREATE TABLE parted_all PARTITION OF parted FOR VALUES FROM (MINVALUE) TO (MAXVALUE);
	COMMIT");
is(says(q{SELECT * FROM dbkit.check('people')}), '', 'all is well');

my $index = q{SELECT indisvalid, indisready FROM pg_index WHERE indexrelid = '%s'::regclass};
like(says('DROP INDEX people_boss'), qr/^ERROR:  table "public.people" breaks the schema convention "fk_index": /,
	'DROP INDEX is rejected');
is(says(sprintf($index, 'people_boss')), 't|t', 'and the index stays');
like(says('DROP INDEX CONCURRENTLY people_boss'), qr/^WARNING:  table "public.people" breaks the schema convention "fk_index": [^\n]*\z/,
	'DROP INDEX CONCURRENTLY is warned of');
is(says(q{SELECT to_regclass('people_boss') IS NULL, rule FROM dbkit.check() WHERE object_identity = 'public.people'}), 't|fk_index',
	'and the index is gone');
is(says('CREATE INDEX CONCURRENTLY people_boss ON people (boss_id)'), '', 'CREATE INDEX CONCURRENTLY makes it again');
is(says(sprintf($index, 'people_boss') . q{; SELECT * FROM dbkit.check('people')}), 't|t', 'valid, and all is well');
is(says('REINDEX INDEX CONCURRENTLY people_boss; REINDEX TABLE CONCURRENTLY people; ' . sprintf($index, 'people_boss')), 't|t',
	'REINDEX CONCURRENTLY works');

is(says('CREATE INDEX CONCURRENTLY legacy_n ON legacy (n)'), '', 'CREATE INDEX CONCURRENTLY of a table that does not conform');
is(says(sprintf($index, 'legacy_n')), 't|t', 'leaves a valid index');
like(says('CREATE INDEX CONCURRENTLY legacy_n2 ON legacy (n)'), qr/^WARNING:  table "public.legacy" breaks the schema convention "duplicate_index": [^\n]*\z/,
	'a duplicate is warned of');
like(says(q{SET dbkit.rule_levels = 'duplicate_index=error'; CREATE INDEX CONCURRENTLY legacy_n3 ON legacy (n)}),
	qr/^WARNING:  table "public.legacy" breaks the schema convention "duplicate_index": [^\n]*\z/, 'also at level error');
like(says(q{SET dbkit.rule_levels = 'duplicate_index=fix'; CREATE INDEX CONCURRENTLY legacy_n4 ON legacy (n)}),
	qr/^WARNING:  table "public.legacy" breaks the schema convention "duplicate_index": [^\n]*\z/, 'and at level fix');
is(says(sprintf($index, 'legacy_n2') . ';' . sprintf($index, 'legacy_n3') . ';' . sprintf($index, 'legacy_n4')), "t|t\nt|t\nt|t",
	'which leaves valid indexes');
like(says('CREATE UNIQUE INDEX CONCURRENTLY legacy_m ON legacy (m)'), qr/^ERROR:  could not create unique index "legacy_m"$/,
	'one that fails');
is(says('SET client_min_messages = error; ' . sprintf($index, 'legacy_m') . '; DROP INDEX CONCURRENTLY legacy_m; SELECT to_regclass($$legacy_m$$) IS NULL'), "f|f\nt",
	'can be dropped');

my $detached = says('ALTER TABLE parted DETACH PARTITION parted_all CONCURRENTLY');
unlike($detached, qr/ERROR/, 'DETACH PARTITION CONCURRENTLY is not rejected');
is(says(q{SELECT relispartition FROM pg_class WHERE oid = 'parted_all'::regclass}), 'f', 'and the partition is a table');
is(says(q{SELECT relation::regclass FROM dbkit.id_prefix WHERE prefix = 'par'}), 'parted', 'the prefix stays with the root');

# A detachment that was left pending can be finalized in a transaction block, and so be undone
$node->safe_psql('postgres', 'SET dbkit.enforce = off; DROP TABLE parted_all;
	CREATE TABLE parted_all PARTITION OF parted FOR VALUES FROM (MINVALUE) TO (MAXVALUE)');
my $reader = $node->background_psql('postgres');
$reader->query_safe('BEGIN; SELECT FROM parted;');
like(says(q{SET statement_timeout = '500ms'; ALTER TABLE parted DETACH PARTITION parted_all CONCURRENTLY}),
	qr/^ERROR:  canceling statement due to statement timeout$/m, 'a detachment waits for a reader');
$reader->query_safe('COMMIT;');
$reader->quit;
is($node->safe_psql('postgres', q{SELECT inhdetachpending FROM pg_inherits WHERE inhrelid = 'parted_all'::regclass}), 't',
	'and is left pending');
unlike(says('INSERT INTO parted_all (id) VALUES (generate_id($$par$$)); SET dbkit.large_table_size = 0; BEGIN; CREATE INDEX ON parted_all (created_at); ROLLBACK;
	BEGIN; ALTER TABLE parted_all ALTER created_at TYPE timestamp; ROLLBACK; SELECT 1'), qr/server closed the connection|connection to server was lost/, 'the size limits know such a partition');
ok($node->poll_query_until('postgres', 'SELECT true'), 'and the server lives');
like(says("BEGIN; ALTER TABLE parted DETACH PARTITION parted_all FINALIZE;
	CREATE TABLE bare (id text COLLATE \"C\" PRIMARY KEY DEFAULT generate_id('bar') CHECK (id LIKE 'bar_%'), $columns); COMMIT"),
	qr/^ERROR:  table "public.bare" breaks \d+ schema conventions: /m, 'FINALIZE does not turn what else the transaction did into warnings');

done_testing();
