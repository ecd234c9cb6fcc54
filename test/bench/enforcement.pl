# What enforcement adds to a transaction that creates two tables with all that
# the conventions ask for, in a database with few tables and in one with many; and
# what the same rules add as an event trigger in PL/pgSQL.

package bench::enforcement;

use strict;
use warnings;
use linter;
use tables;

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

# The transaction after some settings.
sub variant
{
	my ($name, $database, $settings, @more) = @_;
	return {
		name => $name,
		db => $database,
		before => $settings,
		sql => $transaction,
		after => 'RESET session_replication_role; SET dbkit.enforce = off; ALTER EVENT TRIGGER linter DISABLE; DROP TABLE new_table, organizations',
		@more
	};
}

# Rows of the table: a database of some size.
sub beside
{
	my ($tables, $repeat) = @_;
	my $database = bench::tables::name($tables);
	my $off = 'SET dbkit.enforce = off';
	my %case = (unit => 'ms', repeat => $repeat, dbkit => variant('enforced', $database, 'SET dbkit.enforce = on'));
	return {
		%case,
		what => "creating two tables beside $tables",
		peers => [
			variant('dbkit.enforce = off', $database, $off, aim => 1.05),
			variant('event triggers not fired', $database, 'SET session_replication_role = replica', aim => 1.1),
		],
	}, {
		%case,
		what => "enforcement, added to that beside $tables",
		repeat => int($repeat / 5) || 1,
		baseline => variant('dbkit.enforce = off', $database, $off),
		dbkit => variant('enforced', $database, 'SET dbkit.enforce = on'),
		peers => [ variant('the same rules in PL/pgSQL', $database, "$off; ALTER EVENT TRIGGER linter ENABLE", aim => 0.1) ],
	};
}

# Rows of the table: an ALTER of a wide table that keeps the rules, and of one that
# broke them before dbkit came, which is held against what it was.
sub of_wide
{
	my ($database, $what, $table, $repeat, $aim) = @_;
	my ($on, $off) = map { { name => $_->[0], db => $database, before => "SET dbkit.enforce = $_->[1]",
			sql => "ALTER TABLE $table ALTER c1 SET DEFAULT 1", after => "SET dbkit.enforce = off; ALTER TABLE $table ALTER c1 DROP DEFAULT" } }
		[ 'enforced', 'on' ], [ 'dbkit.enforce = off', 'off' ];
	return { what => "ALTER of $what with 300 columns", unit => 'ms', repeat => $repeat, dbkit => $on, peers => [ { %$off, aim => $aim } ] };
}

my $wide = <<~'SQL';
	SET dbkit.enforce = off;
	DO $$ BEGIN
		EXECUTE 'CREATE TABLE wide_old (' || (SELECT string_agg(format('c%s integer', n), ', ') FROM generate_series(1, 300) n) || ')';
		EXECUTE $t$CREATE TABLE wide (id text COLLATE "C" PRIMARY KEY DEFAULT generate_id('wid') CHECK (id LIKE 'wid_%'), created_at timestamptz NOT NULL DEFAULT now(),
			updated_at timestamptz NOT NULL DEFAULT now(), storytime jsonb, $t$ || (SELECT string_agg(format('c%s bigint', n), ', ') FROM generate_series(1, 296) n) || ')';
	END $$;
	CREATE TRIGGER updated_at BEFORE UPDATE ON wide FOR EACH ROW EXECUTE PROCEDURE updated_at();
	ALTER TABLE wide ENABLE ROW LEVEL SECURITY;
	CREATE POLICY own ON wide FOR ALL TO customer USING (id = current_setting('app.organization_id', true)::text);
	SQL

# Make sure that what is measured is there.
my $check = <<~'SQL';
	SET dbkit.enforce = on;
	DO $$ BEGIN
		CREATE TABLE bench_rejected (id int);
		RAISE 'enforcement does not enforce';
	EXCEPTION WHEN SQLSTATE 'KD001' THEN
	END $$;
	SET dbkit.enforce = off;
	ALTER EVENT TRIGGER linter ENABLE;
	DO $$ BEGIN
		CREATE TABLE bench_rejected (id int);
		RAISE 'the linter does not enforce' USING ERRCODE = 'KD002';
	EXCEPTION WHEN raise_exception THEN
	END $$;
	BEGIN;
	CREATE TABLE bench_rejected (id text COLLATE "C" PRIMARY KEY DEFAULT generate_id('rej') CHECK (id LIKE 'rej_%'),
		created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now(), storytime jsonb);
	DO $$ BEGIN
		SET CONSTRAINTS ALL IMMEDIATE;
		RAISE 'the linter does not enforce at commit' USING ERRCODE = 'KD002';
	EXCEPTION WHEN raise_exception THEN
	END $$;
	ROLLBACK;
	ALTER EVENT TRIGGER linter DISABLE
	SQL

return sub {
	my ($with) = @_;
	my $repeat = int(40 * $with->{scale}) || 1;
	my %sizes = map { int($_ * ($with->{scale} < 1 ? $with->{scale} : 1)) || 1 => 1 } 10, 1000, 10000;
	my (@setup, @cases);
	for my $count (sort { $a <=> $b } keys %sizes)
	{
		my $name = bench::tables::name($count);
		push @setup, bench::tables::database($count), map { [ $name, $_ ] } bench::linter::event_trigger(), $check;
		push @cases, beside($count, $repeat);
	}
	my $fewest = bench::tables::name((sort { $a <=> $b } keys %sizes)[0]);
	push @setup, [ $fewest, $wide ];
	push @cases, of_wide($fewest, 'a table', 'wide', $repeat, 1.5), of_wide($fewest, 'an old table', 'wide_old', $repeat, 4);
	return {
		setup => [
			[ 'dbkit', q{SELECT 'CREATE ROLE customer' WHERE to_regrole('customer') IS NULL \gexec} ],
			@setup,
		],
		cases => \@cases,
	};
};
