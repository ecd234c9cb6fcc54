# What a trigger adds to the UPDATE of one row: UPDATE with it less UPDATE without.
#
# Rows are new for each measurement, and pages have room for the new versions, so
# that every UPDATE does the same work and none extends the table.

package bench::updated_at;

use strict;
use warnings;

my $wide_columns = join ', ', map { "t$_ text DEFAULT 'some text', n$_ bigint DEFAULT $_" } 1 .. 13;

my %table = (
	narrow => 'id bigint, updated_at timestamptz DEFAULT now()',
	wide => "id text DEFAULT 'abc_0123456789', created_at timestamptz DEFAULT now(), $wide_columns, "
	  . 'updated_at timestamptz DEFAULT now(), storytime jsonb',
);

# A table with one trigger on it, or none, and how to update all its rows.
sub variant
{
	my ($name, $shape, $suffix, $count) = @_;
	my $column = $shape eq 'narrow' ? 'id = id + 1' : 'n1 = n1 + 1';
	my $rows = $shape eq 'narrow' ? 'id' : 'n13';
	return {
		name => $name,
		before => "TRUNCATE bench_$shape$suffix; INSERT INTO bench_$shape$suffix ($rows) SELECT generate_series(1, $count); VACUUM bench_$shape$suffix",
		sql => "UPDATE bench_$shape$suffix SET $column",
	};
}

return sub {
	my ($scale, $directory) = @_;
	my %trigger = (
		_none => undef,
		_dbkit => 'updated_at()',
		_noop => 'noop_trigger()',
		_moddatetime => q{moddatetime('updated_at')},
		_plpgsql => 'plpgsql_updated_at()',
	);
	my $count = int(10_000 * $scale) || 1;
	system('make', '-s', '-C', "$directory/noop", 'with_llvm=no', 'all') == 0 or die "the no-op trigger does not build\n";

	my @setup = ([ 'dbkit', <<~SQL ]);
		CREATE EXTENSION moddatetime;
		CREATE FUNCTION noop_trigger() RETURNS trigger AS '$directory/noop/noop' LANGUAGE C;
		CREATE FUNCTION plpgsql_updated_at() RETURNS trigger LANGUAGE plpgsql AS
			'BEGIN NEW.updated_at := now(); RETURN NEW; END'
		SQL
	my @cases;
	for my $shape (qw(narrow wide))
	{
		for my $suffix (sort keys %trigger)
		{
			push @setup, [ 'dbkit', "CREATE UNLOGGED TABLE bench_$shape$suffix ($table{$shape})
				WITH (fillfactor = 45, autovacuum_enabled = off)" ];
			push @setup, [ 'dbkit', "CREATE TRIGGER updated_at BEFORE UPDATE ON bench_$shape$suffix
				FOR EACH ROW EXECUTE FUNCTION $trigger{$suffix}" ] if $trigger{$suffix};
		}
		push @cases, {
			what => "updated_at() on " . ($shape eq 'narrow' ? '2' : '30') . ' columns, added to a row',
			unit => 'ns',
			count => $count,
			repeat => 11,
			baseline => variant('no trigger', $shape, '_none', $count),
			dbkit => variant('updated_at()', $shape, '_dbkit', $count),
			peers => [
				{ %{ variant('contrib moddatetime', $shape, '_moddatetime', $count) }, aim => 0.7 },
				variant('PL/pgSQL', $shape, '_plpgsql', $count),
				variant('C trigger that does nothing', $shape, '_noop', $count),
			],
		};
	}
	return { setup => \@setup, cases => \@cases };
};
