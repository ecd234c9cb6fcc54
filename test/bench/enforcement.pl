# What enforcement adds to a transaction that creates two tables with all that
# the conventions ask for, in a database with few tables and in one with many.

package bench::enforcement;

use strict;
use warnings;

# Sent as one message, so that no time between statements is measured.
my $transaction = join ' \; ', map { s/\n+/ /gr } split /;\n/, <<~'SQL';
	BEGIN;
	CREATE TABLE organizations (
	  id TEXT COLLATE "C" PRIMARY KEY DEFAULT generate_id('org') CHECK (id LIKE 'org_%'),
	  created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
	  updated_at TIMESTAMPTZ NOT NULL DEFAULT now(),
	  storytime JSONB
	);
	CREATE TRIGGER updated_at BEFORE UPDATE ON organizations FOR EACH ROW EXECUTE PROCEDURE updated_at();
	ALTER TABLE organizations ENABLE ROW LEVEL SECURITY;
	CREATE POLICY own ON organizations FOR ALL TO customer
	  USING (id = current_setting('app.organization_id', true)::text);
	CREATE TABLE new_table (
	  id TEXT COLLATE "C" PRIMARY KEY DEFAULT generate_id('ntn') CHECK (id LIKE 'ntn_%'),
	  created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
	  updated_at TIMESTAMPTZ NOT NULL DEFAULT now(),
	  storytime JSONB,
	  organization_id TEXT COLLATE "C" NOT NULL REFERENCES organizations(id) ON DELETE CASCADE,
	  datasource_extid TEXT COLLATE "C",
	  count BIGINT
	);
	CREATE TRIGGER updated_at BEFORE UPDATE ON new_table FOR EACH ROW EXECUTE PROCEDURE updated_at();
	CREATE INDEX ON new_table(organization_id);
	ALTER TABLE new_table ENABLE ROW LEVEL SECURITY;
	CREATE POLICY org_data_isolation ON new_table FOR ALL TO customer
	  USING (organization_id = current_setting('app.organization_id', true)::text);
	COMMIT;
	SQL

# Tables like these, in a database of their own.
sub database
{
	my ($name, $tables) = @_;
	return [ 'dbkit', "CREATE DATABASE $name" ], [ $name, 'CREATE EXTENSION dbkit' ], [ $name, <<~SQL ];
		DO \$\$
		DECLARE
			prefix text;
		BEGIN
			FOR i IN 1..$tables LOOP
				-- of four letters, which the tables that are measured do not have
				prefix := 'x' || chr(97 + i / 676) || chr(97 + i / 26 % 26) || chr(97 + i % 26);
				EXECUTE format('CREATE TABLE bench_%1\$s (
					id TEXT COLLATE "C" PRIMARY KEY DEFAULT generate_id(%1\$L) CHECK (id LIKE %2\$L),
					created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
					updated_at TIMESTAMPTZ NOT NULL DEFAULT now(),
					storytime JSONB)', prefix, prefix || '_%');
				EXECUTE format('CREATE TRIGGER updated_at BEFORE UPDATE ON bench_%s
					FOR EACH ROW EXECUTE FUNCTION updated_at()', prefix);
				EXECUTE format('ALTER TABLE bench_%s ENABLE ROW LEVEL SECURITY', prefix);
				EXECUTE format('CREATE POLICY own ON bench_%s FOR ALL TO customer USING (true)', prefix);
				COMMIT;
			END LOOP;
		END \$\$;
		VACUUM ANALYZE;
		SQL
}

# The transaction after some settings.
sub variant
{
	my ($name, $database, $settings, @more) = @_;
	return {
		name => $name,
		db => $database,
		before => $settings,
		sql => $transaction,
		after => 'RESET session_replication_role; SET dbkit.enforce = off; DROP TABLE new_table, organizations',
		@more
	};
}

# One row of the table: a database of some size.
sub beside
{
	my ($tables, $database, $repeat) = @_;
	return {
		what => "creating two tables beside $tables",
		unit => 'ms',
		repeat => $repeat,
		dbkit => variant('enforced', $database, 'SET dbkit.enforce = on'),
		peers => [
			variant('not enforced', $database, 'SET dbkit.enforce = off', aim => 1.05),
			variant('no event triggers', $database, 'SET session_replication_role = replica'),
		],
	};
}

# Make sure that what is measured is there.
my $check = <<~'SQL';
	SET dbkit.enforce = on;
	DO $$ BEGIN
		CREATE TABLE bench_rejected (id int);
		RAISE 'enforcement does not enforce';
	EXCEPTION WHEN SQLSTATE 'KD001' THEN
	END $$;
	SET dbkit.enforce = off
	SQL

return sub {
	my ($scale) = @_;
	my $repeat = int(50 * $scale) || 1;
	my (@setup, @cases);
	for my $tables (10, 1000, 5000, 10000)
	{
		my $count = int($tables * ($scale < 1 && $tables > 10 ? $scale : 1)) || 1;
		my $name = "bench_$tables";
		push @setup, database($name, $count), [ $name, $check ];
		push @cases, beside($count, $name, $repeat);
	}
	return {
		setup => [
			[ 'dbkit', q{SELECT 'CREATE ROLE customer' WHERE to_regrole('customer') IS NULL \gexec} ],
			@setup,
		],
		cases => \@cases,
	};
};
