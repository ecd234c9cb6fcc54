# Databases of many tables that keep the conventions, made once for all benches.

package bench::tables;

use strict;
use warnings;

my %made;

# Print the name of a database with that many tables.
sub name
{
	my ($tables) = @_;
	return "bench_$tables";
}

# Each table has a foreign key, an index for it, the trigger and a policy.  A
# hundred of them share the table they refer to: with a single one, to make each
# next key would take longer than the one before.  Prefixes are without n and
# o, one of which those have that are measured beside them.
sub database
{
	my ($tables) = @_;
	my $name = name($tables);
	return if $made{$name}++;
	return [ 'dbkit', "CREATE DATABASE $name" ], [ $name, 'CREATE EXTENSION dbkit' ], [ $name, <<~'SQL' ], [ $name, <<~SQL ];
		CREATE PROCEDURE make(n int, more text) LANGUAGE plpgsql AS $$
		DECLARE
			letters CONSTANT text := 'abcdefghijklmpqrstuvwxyz';
			prefix CONSTANT text := substr(letters, n / 576 + 1, 1) || substr(letters, n / 24 % 24 + 1, 1) || substr(letters, n % 24 + 1, 1);
		BEGIN
			EXECUTE format('CREATE TABLE bench_%s (
				id TEXT COLLATE "C" PRIMARY KEY DEFAULT generate_id(%L) CHECK (id LIKE %L),
				created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
				updated_at TIMESTAMPTZ NOT NULL DEFAULT now(),
				storytime JSONB%s)', n, prefix, prefix || '_%', more);
			EXECUTE format('CREATE TRIGGER updated_at BEFORE UPDATE ON bench_%s FOR EACH ROW EXECUTE FUNCTION updated_at()', n);
			EXECUTE format('ALTER TABLE bench_%s ENABLE ROW LEVEL SECURITY', n);
			EXECUTE format('CREATE POLICY own ON bench_%s FOR ALL TO customer USING (id <> '''')', n);
			IF more <> '' THEN
				EXECUTE format('CREATE INDEX ON bench_%s (owner_id)', n);
			END IF;
			COMMIT;
		END $$
		SQL
		DO \$\$
		DECLARE
			owner int;
		BEGIN
			FOR n IN 0 .. $tables - 1 LOOP
				IF n % 100 = 0 THEN
					owner := n;
					CALL make(n, '');
				ELSE
					CALL make(n, format(', owner_id TEXT COLLATE "C" NOT NULL REFERENCES bench_%s', owner));
				END IF;
			END LOOP;
		END \$\$;
		DROP PROCEDURE make;
		VACUUM ANALYZE
		SQL
}

1;
