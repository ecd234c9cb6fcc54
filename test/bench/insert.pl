# Inserting rows whose key comes from its default, by kinds of keys, with rows of
# the same width and more index than shared_buffers; and how much room they take.
# The payload makes up for what a key is narrower than an id.

package bench::insert;

use strict;
use warnings;

my @keys = (
	{ name => 'generate_id()', table => 'id', column => q{text COLLATE "C" DEFAULT generate_id('usr')}, payload => 80 },
	{ name => 'bigserial', table => 'bigserial', column => 'bigserial', payload => 103, aim => 1.15 },
	{ name => 'gen_random_uuid()::text', table => 'random_text', column => 'text DEFAULT gen_random_uuid()', payload => 74, aim => 1 / 1.5 },
	{ name => 'gen_random_uuid()', table => 'random_uuid', column => 'uuid DEFAULT gen_random_uuid()', payload => 95 },
	{ name => 'uuidv7()', table => 'uuidv7', column => 'uuid DEFAULT uuidv7()', payload => 95, since => 18 },
);

return sub {
	my ($with) = @_;
	my $rows = int(1_000_000 * $with->{scale}) || 1;
	my $variants = sub {
		my ($what) = @_;
		my ($ours, @peers) = map { { name => $_->{name}, when => $with->{version} >= ($_->{since} || 0), $what->($_) } } @keys;
		return (dbkit => $ours, peers => \@peers);
	};
	my %size = map { my $kind = $_; $kind => sub {
		my ($key) = @_;
		return (value => $kind eq 'row' ? "SELECT avg(pg_column_size(t)) FROM bench_$key->{table} t"
			: $kind eq 'column' ? "SELECT avg(pg_column_size(id)) FROM bench_$key->{table}"
			: "SELECT pg_relation_size('bench_$key->{table}_pkey') / $rows.0");
	} } qw(row column index);
	return {
		settings => "shared_buffers = '32MB'\nmax_wal_size = '4GB'\n",
		setup => [
			map { [ 'dbkit', "SET dbkit.enforce = off; CREATE TABLE bench_$_->{table} (id $_->{column} PRIMARY KEY, payload text)
				WITH (autovacuum_enabled = off)" ] } grep { $with->{version} >= ($_->{since} || 0) } @keys
		],
		cases => [
			{
				what => "INSERT of $rows rows with the key's default",
				unit => 's',
				rounds => 5,
				$variants->(sub {
					my ($key) = @_;
					return (
						before => "TRUNCATE bench_$key->{table}; CHECKPOINT",
						sql => "INSERT INTO bench_$key->{table} (payload) SELECT repeat('x', $key->{payload}) FROM generate_series(1, $rows)",
						aim => $key->{aim},
					);
				}),
			},
			{ what => 'size of a row, with its header', unit => 'bytes', rounds => 1, $variants->($size{row}) },
			{ what => 'size of the id', unit => 'bytes', rounds => 1, $variants->($size{column}) },
			{ what => "size of the key's index, for each row", unit => 'bytes', rounds => 1, $variants->($size{index}) },
		],
	};
};
