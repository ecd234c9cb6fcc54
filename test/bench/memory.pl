# What a backend's memory grows to by work that it does again and again, in a session of
# its own that has done some of it: all memory contexts afterwards and before.  What
# DDL adds is compared with what it adds without event triggers, as PostgreSQL's own
# caches keep something of what was dropped.

package bench::memory;

use strict;
use warnings;
use tables;

my $total = 'SELECT sum(total_bytes) FROM pg_backend_memory_contexts';

# Every tenth transaction creates or drops a table, the others alter it.
my $ddl = <<~'SQL';
	CREATE PROCEDURE bench_ddl(transactions bigint) LANGUAGE plpgsql AS $$
	BEGIN
		FOR i IN 1..transactions LOOP
			IF i % 20 = 1 THEN
				CREATE TABLE bench_ddl (
					id TEXT COLLATE "C" PRIMARY KEY DEFAULT generate_id('mon') CHECK (id LIKE 'mon_%'),
					created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
					updated_at TIMESTAMPTZ NOT NULL DEFAULT now(),
					storytime JSONB);
				CREATE TRIGGER updated_at BEFORE UPDATE ON bench_ddl FOR EACH ROW EXECUTE FUNCTION updated_at();
				ALTER TABLE bench_ddl ENABLE ROW LEVEL SECURITY;
				CREATE POLICY own ON bench_ddl FOR ALL TO customer USING (id <> '');
			ELSIF i % 20 = 0 THEN
				DROP TABLE bench_ddl;
			ELSE
				ALTER TABLE bench_ddl ALTER storytime SET DEFAULT '{}';
			END IF;
			COMMIT;
		END LOOP;
	END $$
	SQL

# A session that does some work, after it has done some of it twice, and the number that
# is asked for then.
sub session
{
	my ($name, $session, $setting, $warm_up, $work, $value) = @_;
	my ($before, @runs) = map { "DO \$\$ BEGIN $_; END \$\$" } $warm_up, $warm_up, $work;
	return {
		name => $name,
		db => $session,
		before => join('; ', 'CREATE TEMP TABLE before (total bigint)', $setting,
			$before, "INSERT INTO before $total", $runs[0], "TRUNCATE before; INSERT INTO before $total", $runs[1]),
		value => $value,
	};
}

# One row of the table.
sub after
{
	my ($what, $session, $warm_up, $work) = @_;
	return {
		what => "memory of a backend after $what",
		unit => 'kB',
		rounds => 1,
		dbkit => session('after', $session, 'SET dbkit.enforce = on', $warm_up, $work, $total),
		peers => [ { name => 'before', db => $session, value => 'SELECT total FROM before', aim => 1 } ],
	};
}

return sub {
	my ($with) = @_;
	my $ids = int(1_000_000 * $with->{scale}) || 1;
	my $transactions = 20 * (int(500 * $with->{scale}) || 1);
	my $tables = int(10_000 * ($with->{scale} < 1 ? $with->{scale} : 1)) || 1;
	my $database = bench::tables::name($tables);
	my $check = "PERFORM count(*) FROM dbkit.check('bench_0'), dbkit.check_schema('bench_few')";
	my $added = "SELECT ($total) - total FROM before";
	return {
		setup => [
			[ 'dbkit', q{SELECT 'CREATE ROLE customer' WHERE to_regrole('customer') IS NULL \gexec} ],
			bench::tables::database($tables),
			[ $database, "SET dbkit.enforce = off; CREATE SCHEMA bench_few;
				CREATE TABLE bench_few.a (LIKE bench_0 INCLUDING ALL); CREATE TABLE bench_few.b (LIKE bench_0 INCLUDING ALL)" ],
			[ $database, $ddl ],
		],
		cases => [
			after("$ids ids", "$database ids", q{PERFORM count(generate_id('usr')) FROM generate_series(1, 1000)},
				"PERFORM count(generate_id('usr')) FROM generate_series(1, $ids)"),
			after("$transactions DDL transactions", "$database ddl", 'CALL bench_ddl(200)', "CALL bench_ddl($transactions)"),
			{
				what => "memory that $transactions DDL transactions add",
				unit => 'kB',
				rounds => 1,
				dbkit => { name => 'added', db => "$database ddl", value => $added },
				peers => [ session('without event triggers', "$database plain", 'SET session_replication_role = replica',
					'CALL bench_ddl(200)', "CALL bench_ddl($transactions)", $added) ],
			},
			after("dbkit.check() of $tables tables", "$database check", $check, 'PERFORM count(*) FROM dbkit.check()'),
		],
	};
};
