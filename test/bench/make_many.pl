# Rows for tests with dbkit.make_many(), in a table with three parents, against the
# INSERT ... SELECT that one would write by hand.

use strict;
use warnings;

return sub {
	my ($with) = @_;
	my $count = int(10_000 * $with->{scale}) || 1;
	my $before = 'TRUNCATE bench_lines; CHECKPOINT';
	my $one = join ', ', map { "(SELECT id FROM bench_parent_$_ LIMIT 1)" } 1 .. 3;
	return {
		setup => [ [ 'dbkit', <<~SQL ] ],
			CREATE EXTENSION IF NOT EXISTS dbkit_test;
			SET dbkit.enforce = off;
			CREATE TABLE bench_parent_1 (id text COLLATE "C" PRIMARY KEY DEFAULT generate_id('bpa'), name text NOT NULL);
			CREATE TABLE bench_parent_2 (id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY, name text NOT NULL UNIQUE);
			CREATE TABLE bench_parent_3 (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), name text NOT NULL);
			INSERT INTO bench_parent_1 (name) VALUES ('one');
			INSERT INTO bench_parent_2 (name) VALUES ('one');
			INSERT INTO bench_parent_3 (name) VALUES ('one');
			CREATE TABLE bench_lines (id text COLLATE "C" PRIMARY KEY DEFAULT generate_id('bli'), first_id text COLLATE "C" NOT NULL REFERENCES bench_parent_1,
				second_id bigint NOT NULL REFERENCES bench_parent_2, third_id uuid NOT NULL REFERENCES bench_parent_3, title text NOT NULL UNIQUE, pages int NOT NULL CHECK (pages > 0))
			SQL
		cases => [ {
			what => "dbkit.make_many(), $count rows with three parents",
			unit => 'ms',
			rounds => 5,
			dbkit => {
				name => 'dbkit.make_many()',
				before => $before,
				sql => "SELECT count(*) FROM dbkit.make_many(NULL::bench_lines, $count)",
			},
			peers => [ {
				name => 'INSERT ... SELECT',
				before => $before,
				sql => "INSERT INTO bench_lines (first_id, second_id, third_id, title, pages) SELECT $one, 'title ' || i, 1 FROM generate_series(1, $count) i",
				aim => 3,
			} ],
		} ],
	};
};
