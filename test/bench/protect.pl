# What the policies of dbkit.protect() cost, for each kind of access, on one table and on
# one of 1,000 partitions, against the same condition by hand; what dbkit.protect()
# itself takes on a table that is full; and what each of 10,000 partitions costs, against each of 1,000.

use strict;
use warnings;

my %condition = (
	tenant => q{organization_id = 'org_7'},
	member => q{organization_id = 'org_7'},
	read => 'true',
);

# A scan of a table as one of the roles.
sub scan
{
	my ($name, $table, $role, $where) = @_;
	return {
		name => $name,
		before => "BEGIN; SET LOCAL max_parallel_workers_per_gather = 0; SET LOCAL ROLE bench_protect_$role; SELECT dbkit.enter('usr_7', 'org_7')",
		sql => "DO \$\$ BEGIN PERFORM count(*) FROM $table WHERE $where; END \$\$",
		after => 'COMMIT',
	};
}

# An UPDATE of the user's own rows in the organization.
sub update
{
	my ($name, $role, $where) = @_;
	return {
		name => $name,
		before => "BEGIN; SET LOCAL ROLE bench_protect_$role; SELECT dbkit.enter('usr_7', 'org_7')",
		sql => "DO \$\$ BEGIN UPDATE bench_protect SET id = id WHERE $where; END \$\$",
		after => 'ROLLBACK',
	};
}

sub protecting
{
	my ($name, $table) = @_;
	return {
		name => $name,
		sql => "BEGIN; SELECT dbkit.protect('$table', role => 'bench_protect_tenant')",
		after => 'ROLLBACK',
	};
}

# What a statement takes for each partition of a table that has that many.
sub each_of
{
	my ($partitions, $statement) = @_;
	my $sql = sprintf $statement, "bench_protect_of_$partitions";
	return {
		name => "each of $partitions",
		before => 'BEGIN',
		value => "SELECT bench_protect_time(\$\$$sql\$\$) / $partitions",
		after => 'ROLLBACK',
	};
}

return sub {
	my ($with) = @_;
	my $rows = int(1_000_000 * $with->{scale}) || 1;
	my $partitions = int(1000 * $with->{scale}) || 1;
	my ($few, $many) = map { int($_ * ($with->{scale} < 1 ? $with->{scale} : 1)) || 1 } 1000, 10_000;

	my @setup = ([ 'dbkit', <<~SQL ], [ 'dbkit', <<~SQL ], [ 'dbkit', <<~SQL ]);
		SET dbkit.enforce = off;
		CREATE ROLE bench_protect_tenant; CREATE ROLE bench_protect_member; CREATE ROLE bench_protect_read; CREATE ROLE bench_protect_none;
		CREATE UNLOGGED TABLE bench_protect (id bigint, organization_id text COLLATE "C", user_id text COLLATE "C");
		INSERT INTO bench_protect SELECT n, 'org_' || n % 100, 'usr_' || n % 1000 FROM generate_series(1, $rows) n;
		CREATE UNLOGGED TABLE bench_protect_full AS SELECT n AS id, 'org_' || n % 100 AS organization_id FROM generate_series(1, $rows) n;
		CREATE TABLE bench_protect_empty (id bigint, organization_id text);
		CREATE TABLE bench_protect_parts (id bigint, organization_id text COLLATE "C", user_id text COLLATE "C") PARTITION BY RANGE (id);
		SQL
		SET dbkit.enforce = off;
		DO \$\$ BEGIN
			FOR n IN 0 .. $partitions - 1 LOOP
				EXECUTE format('CREATE UNLOGGED TABLE bench_protect_part_%s PARTITION OF bench_protect_parts FOR VALUES FROM (%s) TO (%s)', n, n * $rows / $partitions, (n + 1) * $rows / $partitions);
			END LOOP;
		END \$\$;
		INSERT INTO bench_protect_parts SELECT n - 1, 'org_' || n % 100, 'usr_' || n % 1000 FROM generate_series(1, $rows) n;
		SQL
		SET dbkit.enforce = off;
		SET client_min_messages = error;
		SELECT dbkit.protect(t, role => ('bench_protect_' || a)::name, access => a) FROM unnest('{bench_protect,bench_protect_parts}'::regclass[]) t, unnest('{tenant,member,read}'::text[]) a;
		CREATE POLICY everybody ON bench_protect TO bench_protect_none USING (true);
		CREATE POLICY everybody ON bench_protect_parts TO bench_protect_none USING (true);
		GRANT SELECT, UPDATE ON bench_protect, bench_protect_parts TO bench_protect_none;
		SQL
	push @setup, [ 'dbkit', 'VACUUM ANALYZE bench_protect' ], [ 'dbkit', 'VACUUM ANALYZE bench_protect_parts' ];

	push @setup, [ 'dbkit', <<~SQL ];
		SET dbkit.enforce = off;
		CREATE FUNCTION bench_protect_time(statement text) RETURNS numeric LANGUAGE plpgsql AS \$\$
		DECLARE
			started timestamptz := clock_timestamp();
		BEGIN
			EXECUTE statement;
			RETURN extract(epoch FROM clock_timestamp() - started);
		END \$\$;
		SQL
	# In groups of 100, since each partition that is made has PostgreSQL read the bounds of all beside it
	for my $count ($few, $many)
	{
		push @setup, [ 'dbkit', <<~SQL ];
			CREATE TABLE bench_protect_of_$count (id bigint, organization_id text COLLATE "C", user_id text COLLATE "C") PARTITION BY RANGE (id);
			DO \$\$ BEGIN
				FOR n IN 0 .. $count - 1 LOOP
					IF n % 100 = 0 THEN
						EXECUTE format('CREATE TABLE bench_protect_of_${count}_group_%s PARTITION OF bench_protect_of_$count FOR VALUES FROM (%s) TO (%s) PARTITION BY RANGE (id)', n, n, n + 100);
					END IF;
					EXECUTE format('CREATE TABLE bench_protect_of_${count}_%s PARTITION OF bench_protect_of_${count}_group_%s FOR VALUES FROM (%s) TO (%s)', n, n - n % 100, n, n + 1);
				END LOOP;
			END \$\$;
			ALTER TABLE bench_protect_of_$count ENABLE ROW LEVEL SECURITY;
			SQL
	}
	push @setup, [ 'dbkit', 'ANALYZE' ];

	my @cases;
	for my $of ([ 'bench_protect', "$rows rows" ], [ 'bench_protect_parts', "$rows rows in $partitions partitions" ])
	{
		my ($table, $what) = @$of;
		for my $access (sort keys %condition)
		{
			push @cases, {
				what => "scan of $what, access $access",
				unit => 'ms',
				repeat => 2,
				dbkit => scan('dbkit.protect()', $table, $access, 'true'),
				peers => [ { %{ scan('WHERE by hand', $table, 'none', $condition{$access}) }, aim => 1.1 } ],
			};
		}
	}
	push @cases, {
		what => "UPDATE of one's own of $rows rows, access member",
		unit => 'ms',
		repeat => 2,
		dbkit => update('dbkit.protect()', 'member', 'true'),
		peers => [ { %{ update('WHERE by hand', 'none', q{organization_id = 'org_7' AND user_id = 'usr_7'}) }, aim => 1.1 } ],
	};
	push @cases, {
		what => "dbkit.protect() of a table of $rows rows",
		unit => 'ms',
		repeat => 5,
		dbkit => protecting('full', 'bench_protect_full'),
		peers => [ { %{ protecting('an empty table', 'bench_protect_empty') }, aim => 1.25 } ],
	};
	my %statement = (
		'dbkit.protect(), each partition' => q{SELECT dbkit.protect('%s', role => 'bench_protect_tenant')},
		'CREATE POLICY on a root, each partition' => 'CREATE POLICY bench ON %s USING (true)',
		'dbkit.check() of a root with findings, each partition' => q{SELECT count(*) FROM dbkit.check('%s')},
	);
	for my $what (sort keys %statement)
	{
		push @cases, {
			what => $what,
			unit => 'us',
			rounds => 3,
			dbkit => each_of($many, $statement{$what}),
			peers => [ { %{ each_of($few, $statement{$what}) }, aim => 1.3 } ],
		};
	}
	return { settings => "max_locks_per_transaction = 1000\n", setup => \@setup, cases => \@cases };
};
