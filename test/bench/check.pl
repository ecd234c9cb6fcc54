# dbkit.check() over a database of conforming tables, against the same questions
# in SQL over the catalogs; and against three of them, as linters ask them: foreign
# keys without an index, tables without a primary key, row level security off or
# without a policy.  And what an adoption takes: dbkit.suggest(), and dbkit.baseline()
# with one finding for each table, against dbkit.check().

package bench::check;

use strict;
use warnings;
use linter;
use tables;

my $three_questions = <<~'SQL';
	SELECT count(*) FROM (
	WITH tables AS (
		SELECT c.oid, n.nspname, c.relname, c.relrowsecurity
		FROM pg_catalog.pg_class c
		JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
		LEFT JOIN pg_catalog.pg_depend d
			ON d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'
		WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND d.objid IS NULL
			AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
			AND n.nspname NOT LIKE 'pg\_temp\_%'),
	indexes AS (
		SELECT indrelid, string_to_array(indkey::text, ' ')::smallint[] AS columns
		FROM pg_catalog.pg_index
		WHERE indisvalid AND indpred IS NULL)
	SELECT format('foreign key %I of %I.%I has no index', k.conname, t.nspname, t.relname)
	FROM tables t
	JOIN pg_catalog.pg_constraint k ON k.conrelid = t.oid AND k.contype = 'f'
	LEFT JOIN indexes i ON i.indrelid = t.oid
		AND i.columns[1:cardinality(k.conkey)] @> k.conkey
	WHERE i.indrelid IS NULL
	UNION ALL
	SELECT format('%I.%I has no primary key', t.nspname, t.relname)
	FROM tables t
	WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_constraint k
		WHERE k.conrelid = t.oid AND k.contype = 'p')
	UNION ALL
	SELECT format('%I.%I lets everybody see every row', t.nspname, t.relname)
	FROM tables t
	WHERE NOT t.relrowsecurity
		OR NOT EXISTS (SELECT FROM pg_catalog.pg_policy p WHERE p.polrelid = t.oid)) AS findings
	SQL

# What is wrong in many ways, to see that both find the same.
my $broken = <<~'SQL';
	SET dbkit.enforce = off;
	CREATE TYPE color AS ENUM ('red');
	CREATE TABLE users (id text COLLATE "C" PRIMARY KEY DEFAULT generate_id('usr') CHECK (id LIKE 'usr_%'));
	CREATE TABLE serial (id serial PRIMARY KEY, seen timestamp, n smallint[], c color, user_id text REFERENCES users);
	CREATE TABLE keys (id text COLLATE "C" DEFAULT generate_id('key') CHECK (starts_with(id, 'kez_')), at tsrange, created_at date NOT NULL DEFAULT now(),
		PRIMARY KEY (id, at), user_id text COLLATE "C" REFERENCES users ON DELETE CASCADE, other_id text COLLATE "C");
	CREATE INDEX ON keys (user_id, other_id);
	CREATE INDEX ON keys (user_id);
	CREATE TABLE long (id text COLLATE "C" PRIMARY KEY DEFAULT generate_id('long') CHECK (dbkit.is_id(id, 'long')),
		updated_at timestamptz NOT NULL DEFAULT '2000-01-01', created_at timestamptz DEFAULT clock_timestamp(), storytime json);
	CREATE TABLE again (LIKE long INCLUDING ALL);
	CREATE TABLE bare ();
	CREATE TABLE parts (id text COLLATE "C" DEFAULT generate_id('par') CHECK (id ^@ 'par_'), n int, PRIMARY KEY (id, n)) PARTITION BY LIST (n);
	CREATE TABLE parts_1 PARTITION OF parts FOR VALUES IN (1);
	CREATE TABLE red_enum (name text PRIMARY KEY);
	CREATE TABLE blue_enum (value text PRIMARY KEY, n int);
	CREATE TRIGGER updated_at BEFORE UPDATE ON long FOR EACH ROW EXECUTE FUNCTION updated_at();
	CREATE TRIGGER updated_at BEFORE UPDATE ON keys FOR EACH ROW EXECUTE FUNCTION updated_at();
	ALTER TABLE keys DISABLE TRIGGER updated_at;
	ALTER TABLE long ENABLE ROW LEVEL SECURITY;
	ALTER TABLE keys ENABLE ROW LEVEL SECURITY;
	ALTER TABLE serial ENABLE ROW LEVEL SECURITY;
	CREATE POLICY own ON long USING (true);
	CREATE POLICY own ON keys USING (id = current_setting('some.setting'));
	CREATE POLICY own ON users USING (id = current_setting('app.user_id', true)) WITH CHECK (id <> '');
	CREATE VIEW definers AS SELECT 1 AS n;
	CREATE VIEW invokers WITH (security_invoker) AS SELECT 1 AS n;
	CREATE FUNCTION definer() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1';
	CREATE FUNCTION safe() RETURNS int LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS 'SELECT 1'
	SQL
my $compare = <<~'SQL';
	DO $$
	DECLARE
		difference record;
	BEGIN
		FOR difference IN
			WITH theirs AS (SELECT rule, replace(identity, '"', '') AS identity, column_name::text FROM linter),
				ours AS (SELECT rule, replace(replace(object_identity, '"', ''), 'pg_catalog.', '') AS identity, column_name FROM dbkit.check()
				WHERE rule <> 'customer_role_confined')
			(SELECT 'dbkit only', * FROM ours EXCEPT ALL SELECT 'dbkit only', * FROM theirs) UNION ALL
			(SELECT 'linter only', * FROM theirs EXCEPT ALL SELECT 'linter only', * FROM ours)
		LOOP
			RAISE 'the findings differ: %', difference;
		END LOOP;
		ASSERT (SELECT count(DISTINCT rule) FROM linter) = 23, 'a rule is not tried';
	END $$
	SQL

# Ask, and forget the answer.
sub variant
{
	my ($name, $tables, $sql, @more) = @_;
	return { name => $name, db => bench::tables::name($tables), sql => "DO \$\$ BEGIN PERFORM count(*) FROM $sql; END \$\$", @more };
}

# One row of the table: a database of some size.
sub over
{
	my ($tables) = @_;
	return {
		what => "dbkit.check() of $tables tables, each",
		unit => 'us',
		count => $tables,
		repeat => 3,
		dbkit => variant('dbkit.check()', $tables, 'dbkit.check()'),
		peers => [
			variant('the same questions in SQL', $tables, 'linter', aim => 0.12),
			variant('three of them in SQL', $tables, "($three_questions) AS three"),
		],
	};
}

# Rows of the table: the adoption of a database of some size.
sub adoption_of
{
	my ($tables) = @_;
	my %case = (unit => 'us', count => $tables, repeat => 1);
	my %findings = (before => q{SET dbkit.rule_levels = 'table_comment=warning'}, after => 'RESET dbkit.rule_levels; SELECT dbkit.unbaseline()');
	return {
		%case,
		what => "dbkit.suggest() of $tables tables, each",
		dbkit => variant('dbkit.suggest()', $tables, 'dbkit.suggest()'),
		peers => [ variant('dbkit.check()', $tables, 'dbkit.check()') ],
	}, {
		%case,
		what => "dbkit.baseline() of $tables tables with a finding, each",
		dbkit => variant('dbkit.baseline()', $tables, 'dbkit.baseline()', %findings),
		peers => [ variant('dbkit.check()', $tables, 'dbkit.check()', %findings) ],
	};
}

return sub {
	my ($with) = @_;
	my @sizes = map { int($_ * ($with->{scale} < 1 ? $with->{scale} : 1)) || 1 } 1000, 10000;
	return {
		setup => [
			[ 'dbkit', q{SELECT 'CREATE ROLE customer' WHERE to_regrole('customer') IS NULL \gexec} ],
			[ 'dbkit', 'CREATE DATABASE bench_broken' ],
			[ 'bench_broken', 'CREATE EXTENSION dbkit' ],
			(map { [ 'bench_broken', $_ ] } $broken, bench::linter::view(), $compare),
			map {
				# The estimates of such queries are too low for nested loops to be a good choice
				(bench::tables::database($_), [ bench::tables::name($_), bench::linter::view() . '; SET enable_nestloop = off' ])
			} @sizes,
		],
		cases => [ (map { over($_) } @sizes), adoption_of($sizes[-1]) ],
	};
};
