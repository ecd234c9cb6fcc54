# What a trigger adds to the UPDATE of one row: UPDATE with it less UPDATE without.
#
# Rows are new for each measurement, and pages have room for the new versions, so
# that every UPDATE does the same work and none extends the table.

package bench::updated_at;

use strict;
use warnings;

# Columns as in the conventions' own tables, and 25 more
my $columns = "id text COLLATE \"C\" DEFAULT 'abc_01k8xk9n5re3t9cgb1pr0c7v5w', created_at timestamptz NOT NULL DEFAULT now(),
	updated_at timestamptz NOT NULL DEFAULT now(), storytime jsonb, n1 bigint DEFAULT 1";
my $more_columns = join ', ', map { $_ % 2 ? "t$_ text DEFAULT 'some text'" : "n$_ bigint DEFAULT $_" } 2 .. 26;
my %table = (5 => $columns, 30 => "$columns, $more_columns");

# A table with one trigger on it, or none, and how to update all its rows.
sub variant
{
	my ($name, $shape, $suffix, $count) = @_;
	return {
		name => $name,
		before => "TRUNCATE bench_$shape$suffix; INSERT INTO bench_$shape$suffix (n1) SELECT generate_series(1, $count); VACUUM bench_$shape$suffix",
		sql => "UPDATE bench_$shape$suffix SET n1 = n1 + 1",
	};
}

return sub {
	my ($with) = @_;
	my %trigger = (
		_none => undef,
		_dbkit => 'updated_at()',
		_noop => 'noop_trigger()',
		_moddatetime => q{moddatetime('updated_at')},
		_plpgsql => 'plpgsql_updated_at()',
	);
	my $count = int(10_000 * $with->{scale}) || 1;
	system('make', '-s', '-C', "$with->{directory}/noop", 'with_llvm=no', 'all') == 0 or die "the no-op trigger does not build\n";

	my @setup = ([ 'dbkit', <<~SQL ]);
		CREATE EXTENSION moddatetime;
		CREATE FUNCTION noop_trigger() RETURNS trigger AS '$with->{directory}/noop/noop' LANGUAGE C;
		CREATE FUNCTION plpgsql_updated_at() RETURNS trigger LANGUAGE plpgsql AS
			'BEGIN NEW.updated_at := now(); RETURN NEW; END'
		SQL
	my @cases;
	for my $shape (5, 30)
	{
		for my $suffix (sort keys %trigger)
		{
			push @setup, [ 'dbkit', "CREATE UNLOGGED TABLE bench_$shape$suffix ($table{$shape})
				WITH (fillfactor = 45, autovacuum_enabled = off)" ];
			push @setup, [ 'dbkit', "CREATE TRIGGER updated_at BEFORE UPDATE ON bench_$shape$suffix
				FOR EACH ROW EXECUTE FUNCTION $trigger{$suffix}" ] if $trigger{$suffix};
		}
		push @cases, {
			what => "updated_at(), added to the UPDATE of a row of $shape columns",
			unit => 'ns',
			count => $count,
			repeat => 7,
			baseline => variant('no trigger', $shape, '_none', $count),
			dbkit => variant('updated_at()', $shape, '_dbkit', $count),
			peers => [
				{ %{ variant('contrib moddatetime', $shape, '_moddatetime', $count) }, aim => 0.7 },
				variant('a PL/pgSQL trigger', $shape, '_plpgsql', $count),
				{ %{ variant('a C trigger that does nothing', $shape, '_noop', $count) }, aim => 1.15 },
			],
		};
	}
	return { setup => \@setup, cases => \@cases };
};
