# What one id of the edition without C costs, net of the loop around it, beside other TypeIDs
# in PL/pgSQL and beside the C library.
#
# The others are those of public repositories, which BENCH_PEERS has: a directory with a clone
# of each, under the repository's name.  Whichever is not there is left out.  A relative path
# is one in the tree, and is found on PostgreSQL 18 too; git ignores "peers".

package bench::portable;

use strict;
use warnings;

my @typeids = (
	{ name => 'jetify-com/typeid-sql', files => 'typeid-sql/sql/*.sql', value => q{typeid_generate_text('usr')} },
	{ name => 'pixelbend/typeid-pg', files => 'typeid-pg/typeid.sql', value => q{gen_typeid('usr')} },
);

sub contents
{
	my ($path) = @_;
	open my $file, '<', $path or die "$path: $!\n";
	local $/;
	return scalar <$file>;
}

# Make a database of its own, as the functions have the same names, and try what makes an id.
sub setup
{
	my ($database, $value, $sql) = @_;
	return [ 'postgres', "CREATE DATABASE $database" ], [ $database, "BEGIN; $sql; COMMIT" ],
	  [ $database, "DO \$\$ BEGIN ASSERT $value ~ '^usr_[0-7][0-9a-hjkmnp-tv-z]{25}\$'; END \$\$" ];
}

# Set up the TypeIDs that are there; return the name and the database of each.
sub others
{
	my ($directory) = @_;
	my (@setup, @found);
	for my $typeid (@typeids)
	{
		my @files = $directory ? glob "$directory/$typeid->{files}" : ();
		my $database = 'peer' . @found;
		print STDERR "# $typeid->{name} is left out: BENCH_PEERS does not have it\n" if !@files;
		next if !@files;
		push @setup, setup($database, $typeid->{value}, join "\n;\n", map { contents($_) } @files);
		push @found, { %$typeid, db => $database };
	}
	return \@setup, \@found;
}

# The function that replaces the C library's when that is uninstalled
sub documented
{
	my ($page) = @_;
	my ($function) = $page =~ /^(CREATE OR REPLACE FUNCTION public\.generate_id\(.*? \$\$);$/ms
	  or die "uninstall.md has no generate_id()\n";
	return $function;
}

# In the executor's own loop, as in ids.pl
sub variant
{
	my ($name, $db, $value, $count, @more) = @_;
	return { name => $name, db => $db, sql => "DO \$\$ BEGIN PERFORM count($value) FROM generate_series(1, $count) n; END \$\$", @more };
}

return sub {
	my ($with) = @_;
	my $tree = "$with->{directory}/../..";
	my $count = int(5_000 * $with->{scale}) || 1;
	my $ours = q{generate_id('usr')};
	my ($setup, $found) = others($ENV{BENCH_PEERS});
	return {
		setup => [
			setup('portable', $ours, contents("$tree/portable/dbkit.sql")),
			setup('uninstalled', $ours, documented(contents("$tree/docs/how-to/uninstall.md"))),
			@$setup
		],
		cases => [ {
			what => 'one id without C, net of the loop',
			unit => 'ns',
			count => $count,
			repeat => 3,
			baseline => variant('empty loop', 'portable', 'n', $count),
			dbkit => variant('generate_id()', 'portable', $ours, $count),
			peers => [
				(map { variant($_->{name}, $_->{db}, $_->{value}, $count, aim => 0.5) } @$found),
				variant('the function to keep tables with', 'uninstalled', $ours, $count),
				variant('generate_id() in C', 'dbkit', $ours, $count),
				variant('uuidv7()', 'portable', 'uuidv7()', $count, when => $with->{version} >= 18),
			],
		} ],
	};
};
