# dbkit.check() over a database of conforming tables, against three of its
# questions asked in SQL over the catalogs as linters do: foreign keys without an
# index, tables without a primary key, row level security off or without policy.

package bench::check;

use strict;
use warnings;

my $linter = <<~'SQL';
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

# Conforming tables with a foreign key each, in a database of their own.
sub database
{
	my ($name, $tables) = @_;
	return [ 'dbkit', "CREATE DATABASE $name" ], [ $name, 'CREATE EXTENSION dbkit' ], [ $name, <<~SQL ];
		CREATE TABLE organizations (
			id TEXT COLLATE "C" PRIMARY KEY DEFAULT generate_id('org') CHECK (id LIKE 'org_%'),
			created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
			updated_at TIMESTAMPTZ NOT NULL DEFAULT now(),
			storytime JSONB);
		DO \$\$
		DECLARE
			prefix text;
		BEGIN
			FOR i IN 1..$tables LOOP
				prefix := chr(97 + i / 676) || chr(97 + i / 26 % 26) || chr(97 + i % 26);
				CONTINUE WHEN prefix = 'org';
				EXECUTE format('CREATE TABLE bench_%1\$s (
					id TEXT COLLATE "C" PRIMARY KEY DEFAULT generate_id(%1\$L) CHECK (id LIKE %2\$L),
					created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
					updated_at TIMESTAMPTZ NOT NULL DEFAULT now(),
					storytime JSONB,
					organization_id TEXT COLLATE "C" NOT NULL REFERENCES organizations ON DELETE CASCADE);
					CREATE INDEX ON bench_%1\$s (organization_id);
					CREATE TRIGGER updated_at BEFORE UPDATE ON bench_%1\$s
						FOR EACH ROW EXECUTE FUNCTION updated_at();
					ALTER TABLE bench_%1\$s ENABLE ROW LEVEL SECURITY;
					CREATE POLICY own ON bench_%1\$s FOR ALL TO customer USING (id <> '''')', prefix, prefix || '_%');
				COMMIT;
			END LOOP;
		END \$\$;
		VACUUM ANALYZE;
		SQL
}

# One row of the table: a database of some size.
sub over
{
	my ($tables, $database, $repeat) = @_;
	return {
		what => "dbkit.check() over $tables tables",
		unit => 'ms',
		repeat => $repeat,
		dbkit => { name => 'dbkit.check()', db => $database, sql => 'DO $$ BEGIN PERFORM count(*) FROM dbkit.check(); END $$' },
		peers => [ { name => 'three questions in SQL', db => $database, sql => "DO \$\$ BEGIN PERFORM * FROM ($linter) AS linter; END \$\$", aim => 0.1 } ],
	};
}

return sub {
	my ($scale) = @_;
	my $many = int(10000 * ($scale < 1 ? $scale : 1)) || 1;
	my $few = int($many / 10) || 1;
	return {
		setup => [
			[ 'dbkit', q{SELECT 'CREATE ROLE customer' WHERE to_regrole('customer') IS NULL \gexec} ],
			database('bench_check_few', $few), database('bench_check_many', $many),
		],
		cases => [ over($few, 'bench_check_few', 3), over($many, 'bench_check_many', 1) ],
	};
};
