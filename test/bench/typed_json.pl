# Typed JSON of rows with 20 columns, of which four are times, against PostgreSQL's JSON.

use strict;
use warnings;

return sub {
	my ($with) = @_;
	my $count = int(50_000 * $with->{scale}) || 1;
	return {
		setup => [ [ 'dbkit', <<~SQL ] ],
			SET dbkit.enforce = off;
			CREATE TABLE bench_wide (id text, a int, b int, c bigint, d bigint, e numeric, f float8, g boolean, h boolean, i uuid,
				j text, k text, l text, m text, n text, data jsonb, created_at timestamptz, updated_at timestamptz, seen timestamptz, gone timestamptz);
			INSERT INTO bench_wide SELECT generate_id('bwi'), n, n, n, n, n / 7.0, n / 7.0, true, false, gen_random_uuid(),
				'title ' || n, 'a', md5(n::text), 'b', 'c', '{"pages": [1, 2, 3]}', now(), now(), now(), NULL FROM generate_series(1, $count) n;
			CREATE TABLE bench_json AS SELECT to_jsonb(w) AS plain, dbkit.to_typed_json(w) AS typed FROM bench_wide AS w;
			VACUUM ANALYZE bench_wide;
			VACUUM ANALYZE bench_json
			SQL
		cases => [ {
			what => "typed JSON of $count rows with 20 columns",
			unit => 'ms',
			dbkit => { name => 'dbkit.to_typed_json()', sql => 'DO $$ BEGIN PERFORM count(dbkit.to_typed_json(w)) FROM bench_wide AS w; END $$' },
			peers => [ { name => 'to_jsonb()', sql => 'DO $$ BEGIN PERFORM count(to_jsonb(w)) FROM bench_wide AS w; END $$', aim => 1.3 } ],
		}, {
			what => "$count rows of typed JSON",
			unit => 'ms',
			dbkit => { name => 'dbkit.from_typed_json()', sql => 'DO $$ BEGIN PERFORM count(dbkit.from_typed_json(NULL::bench_wide, typed)) FROM bench_json; END $$' },
			peers => [ { name => 'jsonb_populate_record()', sql => 'DO $$ BEGIN PERFORM count(jsonb_populate_record(NULL::bench_wide, plain)) FROM bench_json; END $$' } ],
		} ],
	};
};
