# What a policy on dbkit.organization_id() costs in a sequential scan, and what
# entering a context adds to a transaction.
#
# The settings that dbkit is compared with are not its own, so that they are what
# PostgreSQL makes of them.

use strict;
use warnings;

my %policy = (
	none => 'true',
	dbkit => 'organization_id = dbkit.organization_id()',
	bare => q{organization_id = current_setting('bench.organization_id', true)},
	subselect => q{organization_id = (SELECT current_setting('bench.organization_id', true))},
);

# A scan of the table as one of the roles, each of which has its policy.
sub scan
{
	my ($name, $role, $where) = @_;
	return {
		name => $name,
		before => "BEGIN; SET LOCAL max_parallel_workers_per_gather = 0; SET LOCAL ROLE bench_context_$role;
			SET LOCAL bench.organization_id = 'org_7'; SELECT dbkit.enter('usr_7', 'org_7')",
		sql => "DO \$\$ BEGIN PERFORM count(*) FROM bench_context $where; END \$\$",
		after => 'COMMIT',
	};
}

# Transactions that do next to nothing but set who they are for.
sub transactions
{
	my ($name, $count, $work, %with) = @_;
	return {
		name => $name,
		sql => "DO \$\$ DECLARE signature text; BEGIN FOR i IN 1 .. $count LOOP $work; PERFORM 1; COMMIT; END LOOP; END \$\$",
		%with,
	};
}

return sub {
	my ($with) = @_;
	my $rows = int(1_000_000 * $with->{scale}) || 1;
	my $count = int(50_000 * $with->{scale}) || 1;

	my @setup = ([ 'dbkit', <<~SQL ]);
		CREATE EXTENSION pgcrypto;
		CREATE EXTENSION pg_prewarm;
		CREATE UNLOGGED TABLE bench_context (id bigint, organization_id text COLLATE "C");
		INSERT INTO bench_context SELECT n, 'org_' || n % 100 FROM generate_series(1, $rows) n;
		VACUUM ANALYZE bench_context;
		SELECT pg_prewarm('bench_context');
		ALTER TABLE bench_context ENABLE ROW LEVEL SECURITY;
		SQL
	for my $role (sort keys %policy)
	{
		push @setup, [ 'dbkit', "CREATE ROLE bench_context_$role; GRANT SELECT ON bench_context TO bench_context_$role;
			CREATE POLICY $role ON bench_context TO bench_context_$role USING ($policy{$role})" ];
	}

	my $key_file = "$with->{directory}/context_key";
	open my $file, '>', $key_file or die "$key_file: $!";
	print $file 'k' x 32;
	close $file;
	chmod 0600, $key_file;
	my $reload = 'SELECT pg_reload_conf(); SELECT pg_sleep(0.2)';
	my %signed = (
		before => "ALTER SYSTEM SET dbkit.context_key_file = '$key_file'; $reload",
		after => "ALTER SYSTEM RESET dbkit.context_key_file; $reload",
	);
	my $sign = q{signature := encode(hmac('5:dbkit,8:postgres,5:usr_1,5:org_1,32:' || dbkit.nonce() || ',', repeat('k', 32), 'sha256'), 'hex')};
	my $enter = q{PERFORM dbkit.enter('usr_1', 'org_1')};
	my $set_config = q{PERFORM set_config('bench.user_id', 'usr_1', true), set_config('bench.organization_id', 'org_1', true)};

	return {
		setup => \@setup,
		cases => [
			{
				what => "scan of $rows rows under a policy",
				unit => 'ms',
				repeat => 2,
				dbkit => scan('dbkit.organization_id()', 'dbkit', ''),
				peers => [
					{ %{ scan('WHERE by hand', 'none', q{WHERE organization_id = 'org_7'}) }, aim => 1.1 },
					{ %{ scan('bare current_setting()', 'bare', '') }, aim => 0.25 },
					scan('(SELECT current_setting())', 'subselect', ''),
					scan('no condition', 'none', ''),
				],
			},
			{
				what => 'dbkit.enter, added to a transaction',
				unit => 'us',
				count => $count,
				baseline => transactions('nothing', $count, 'NULL'),
				dbkit => transactions('plain', $count, $enter),
				peers => [ { %{ transactions('two set_config()', $count, $set_config) }, aim => 1 } ],
			},
			{
				what => 'dbkit.enter with a signature, likewise',
				unit => 'us',
				count => $count,
				baseline => transactions('nonce and its signature', $count, $sign, %signed),
				dbkit => transactions('signed', $count, "$sign; PERFORM dbkit.enter('usr_1', 'org_1', signature)", %signed),
				peers => [ transactions('two set_config()', $count, "$sign; $set_config", %signed) ],
			},
		],
	};
};
