# A cluster of Citus, a coordinator and two workers: creating a distributed table against the same on a
# cluster without dbkit, and queries within a tenant context against those with the condition by hand.
# What takes a context that reaches the workers is left out where it does not.  Without Citus nothing is measured;
#
#   tools/citus tools/lib/bench-run cluster | tools/lib/bench-table

use strict;
use warnings;
use Cwd qw(abs_path);
use File::Temp qw(tempdir);

my @clusters;
END { system('tools/lib/cluster', 'stop', $_) for @clusters }

# Start a cluster, and give what a session on its coordinator is called.
sub start
{
	my ($libraries, $name) = @_;
	my $directory = tempdir();
	push @clusters, $directory;
	system('tools/lib/cluster', 'start', $directory, $libraries) == 0 or die "no cluster with $libraries\n";
	return "postgresql:///dbkit?host=$directory&port=5432&user=postgres";
}

# Create a distributed table.
sub creation
{
	my ($session, $id, $more) = @_;
	return {
		db => $session,
		before => 'SET citus.shard_count = 32; SET dbkit.enforce = on; DROP TABLE IF EXISTS bench_created',
		sql => <<~SQL =~ s/;\n(?!$)/ \\;\n/gr =~ s/;\n$//r,
			BEGIN;
			CREATE TABLE bench_created (id text COLLATE "C" PRIMARY KEY $id, created_at timestamptz NOT NULL DEFAULT now(),
				updated_at timestamptz NOT NULL DEFAULT now(), storytime jsonb, title text, pages bigint);
			CREATE TRIGGER updated_at BEFORE UPDATE ON bench_created FOR EACH ROW EXECUTE FUNCTION updated_at();
			ALTER TABLE bench_created ENABLE ROW LEVEL SECURITY;
			CREATE POLICY own ON bench_created USING (id = current_user) WITH CHECK (id = current_user);
			SELECT create_distributed_table('bench_created', 'id');
			COMMIT;
			SQL
		@{ $more || [] }
	};
}

# Run a query in many transactions, each of which begins with a statement or without.
sub queries
{
	my ($session, $role, $first, $query, @more) = @_;
	my $transaction = join ' \; ', 'BEGIN', $first || (), $query, 'COMMIT';
	return { db => $session, before => "SET SESSION AUTHORIZATION $role", sql => "$transaction \\g /dev/null\n" x 100 . 'SET jit = off', @more };
}

return sub {
	my ($with) = @_;
	return { cases => [] } unless $with->{available}{citus};

	my ($ours, $plain) = (start('citus,dbkit'), start('citus'));
	my $rows = int(20_000 * $with->{scale}) || 10;
	my $fill = "INSERT INTO bench_%s SELECT 'org_' || i %% 100, 'x' || i, i FROM generate_series(1, $rows) i";
	my $query = q{SELECT count(*), sum(n) FROM bench_%s WHERE organization_id = 'org_5'};
	my $enter = q{SELECT dbkit.enter(NULL, 'org_5')};
	main::run_sql($ours, <<~SQL);
		CREATE EXTENSION dbkit;
		CREATE ROLE bench_customer LOGIN;
		CREATE TABLE bench_open (organization_id text COLLATE "C", id text, n bigint, PRIMARY KEY (organization_id, id));
		CREATE TABLE bench_protected (LIKE bench_open INCLUDING ALL);
		SELECT create_distributed_table('bench_open', 'organization_id') \\g /dev/null
		SELECT dbkit.protect('bench_protected', role => 'bench_customer') \\g /dev/null
		SELECT create_distributed_table('bench_protected', 'organization_id') \\g /dev/null
		GRANT SELECT ON bench_open, bench_protected TO bench_customer;
		@{[ sprintf $fill, 'open' ]};
		@{[ sprintf $fill, 'protected' ]};
		SQL
	main::run_sql($plain, <<~'SQL');
		CREATE FUNCTION updated_at() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.updated_at := now(); RETURN NEW; END $$;
		SQL

	# Does a context reach the workers?
	main::run_sql("$ours probe", 'SET SESSION AUTHORIZATION bench_customer; SET client_min_messages = error');
	my $reaches = main::run_sql("$ours probe", "BEGIN; $enter \\g /dev/null\nSELECT count(*) > 0 FROM bench_protected") =~ /t/;
	main::run_sql("$ours probe", 'ROLLBACK');
	return {
		cases => [
			{
				what => 'creating a distributed table of 32 shards',
				unit => 'ms',
				repeat => 3,
				dbkit => creation($ours, q{DEFAULT generate_id('bcr') CHECK (id LIKE 'bcr_%')}),
				peers => [ creation($plain, q{DEFAULT 'bcr_' || gen_random_uuid() CHECK (id LIKE 'bcr_%')}, [ name => 'a cluster without dbkit', aim => 1.1 ]) ],
			},
			{
				what => 'dbkit.enter and a query of one shard',
				when => $reaches,
				unit => 'us',
				count => 100,
				repeat => 3,
				dbkit => queries($ours, 'bench_customer', $enter, sprintf($query, 'protected')),
				peers => [ queries("$ours open", 'bench_customer', '', sprintf($query, 'open'), name => 'a condition by hand, no policy', aim => 1.3) ],
			},
			{
				what => 'dbkit.enter and a query of all shards',
				when => $reaches,
				unit => 'us',
				count => 100,
				repeat => 3,
				dbkit => queries($ours, 'bench_customer', $enter, 'SELECT count(*), sum(n) FROM bench_protected'),
				peers => [ queries("$ours open", 'bench_customer', '', q{SELECT count(*), sum(n) FROM bench_open WHERE organization_id || '' = 'org_5'}, name => 'a condition by hand, no policy', aim => 1.1) ],
			},
		],
	};
};
