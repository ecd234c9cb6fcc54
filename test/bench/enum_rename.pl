# Renaming a value of an enum table that many rows use, against the
# statements that one would write by hand.  All rows are new each time.

use strict;
use warnings;

return sub {
	my ($with) = @_;
	my $count = int(200_000 * $with->{scale}) || 1;
	my $fill = <<~SQL;
		TRUNCATE bench_rows;
		DELETE FROM bench_enum;
		INSERT INTO bench_enum VALUES ('old'), ('other');
		ALTER TABLE bench_rows DISABLE TRIGGER ALL;
		INSERT INTO bench_rows SELECT i, 'old' FROM generate_series(1, $count) i;
		ALTER TABLE bench_rows ENABLE TRIGGER ALL;
		VACUUM ANALYZE bench_rows;
		CHECKPOINT
		SQL
	return {
		setup => [ [ 'dbkit', <<~SQL ] ],
			SELECT dbkit.create_enum('bench', '{}');
			CREATE UNLOGGED TABLE bench_rows (n bigint, status text REFERENCES bench_enum)
				WITH (autovacuum_enabled = off);
			CREATE INDEX ON bench_rows (status)
			SQL
		cases => [ {
			what => "dbkit.rename_enum_value(), $count rows",
			unit => 'ms',
			rounds => 5,
			dbkit => {
				name => 'dbkit.rename_enum_value()',
				before => $fill,
				sql => q{DO $$ BEGIN PERFORM dbkit.rename_enum_value('bench_enum', 'old', 'new'); END $$},
			},
			peers => [ {
				name => 'INSERT, UPDATE, DELETE',
				before => $fill,
				sql => <<~SQL,
					BEGIN;
					INSERT INTO bench_enum VALUES ('new');
					UPDATE bench_rows SET status = 'new' WHERE status = 'old';
					DELETE FROM bench_enum WHERE value = 'old';
					COMMIT
					SQL
				aim => 1.1,
			} ],
		} ],
	};
};
