# What the log of changes adds to an UPDATE of many rows: the statement in an audited table, less the
# same in one that is not, against the INSERT ... SELECT of the difference in the same statement that
# one would write by hand.  And what it adds to transactions that change a row each: pgbench's simple
# update, whose accounts are audited.
#
# Measured by hand beside supa_audit 0.3.1, on PostgreSQL 15 with fsync off, 2 cores with other work on
# them: to the UPDATE of 100,000 such rows dbkit adds 0.6 to 0.9 s, supa_audit 15 to 18 s, so 3 to 6 % of
# that. The log of it takes 31 MB with its index, that of supa_audit 80 MB; of 20,000 rows of 20 columns
# 6.1 and 35 MB. 16 clients that update rows of their own while the time passes from one partition of the
# log into the next: within a second of that 0.2 to 0.4 % of the statements take over 10 ms (16 clients on
# 2 cores), and as many before and after. Of the waits for locks of over 10 ms in all runs, 98 of 100 were
# to extend a file, 2 for an ACCESS EXCLUSIVE lock, which no writer takes.

use strict;
use warnings;

# Update all rows of a table, into which new ones are put before.
sub variant
{
	my ($name, $table, $count, $sql) = @_;
	return {
		name => $name,
		before => "TRUNCATE $table; INSERT INTO $table (n) SELECT generate_series(1, $count); VACUUM $table; CHECKPOINT",
		sql => $sql // "UPDATE $table SET n = n + 1",
	};
}

# pgbench's simple update, with its tables in this schema.
sub transactions
{
	my ($name, $schema, $count) = @_;
	return { name => $name, sql => qq{\\! PGOPTIONS='-c search_path=$schema,public' pgbench -n -b simple-update -M prepared -t $count dbkit > /dev/null 2>&1} };
}

return sub {
	my ($with) = @_;
	my $transactions = int(20_000 * $with->{scale}) || 10;
	my $count = int(100_000 * $with->{scale}) || 1;
	my $columns = "id text COLLATE \"C\" PRIMARY KEY DEFAULT generate_id('bau'), created_at timestamptz NOT NULL DEFAULT now(),
		storytime jsonb DEFAULT '{\"a\": [1, 2, 3]}', title text DEFAULT 'some text', n bigint";
	my $tables = <<~SQL;
		CREATE EXTENSION IF NOT EXISTS dbkit_audit;
		SET dbkit.enforce = off;
		CREATE TABLE bench_plain ($columns) WITH (autovacuum_enabled = off);
		CREATE TABLE bench_audited ($columns) WITH (autovacuum_enabled = off);
		CREATE TABLE bench_by_hand ($columns) WITH (autovacuum_enabled = off);
		CREATE TABLE bench_log (id text COLLATE "C" DEFAULT generate_id('blo'), at timestamptz DEFAULT clock_timestamp(),
			row_id text, operation text, old_values jsonb, new_values jsonb, role text DEFAULT current_user);
		CREATE INDEX ON bench_log (row_id);
		SELECT dbkit.audit('bench_audited');
		CREATE SCHEMA bench_without;
		CREATE SCHEMA bench_with
		SQL
	return {
		setup => [ [ 'dbkit', $tables ], (map { [ 'dbkit', qq{\\! PGOPTIONS='-c dbkit.enforce=off -c search_path=$_' pgbench -i -q dbkit > /dev/null 2>&1} ] } qw(bench_without bench_with)),
			[ 'dbkit', q{SELECT dbkit.audit('bench_with.pgbench_accounts')} ] ],
		cases => [ {
			what => 'a transaction of pgbench that changes a row of an audited table',
			unit => 'us',
			count => $transactions,
			repeat => 3,
			dbkit => transactions('dbkit.audit()', 'bench_with', $transactions),
			peers => [ { %{ transactions('no log', 'bench_without', $transactions) }, aim => 1.25 } ],
		}, {
			what => "the log of changes, added to an UPDATE of $count rows",
			unit => 'ms',
			repeat => 1,
			baseline => variant('no log', 'bench_plain', $count),
			dbkit => variant('dbkit.audit()', 'bench_audited', $count),
			peers => [ { %{ variant('INSERT ... SELECT of the difference', 'bench_by_hand', $count, <<~SQL) }, aim => 1 } ],
				WITH before AS MATERIALIZED (SELECT id, n FROM bench_by_hand), after AS (UPDATE bench_by_hand SET n = n + 1 RETURNING id, n)
				INSERT INTO bench_log (row_id, operation, old_values, new_values)
				SELECT after.id, 'UPDATE', jsonb_build_object('n', before.n), jsonb_build_object('n', after.n) FROM after JOIN before USING (id)
				SQL
		} ],
	};
};
