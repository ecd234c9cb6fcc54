# pg_regress tests that cannot share a cluster with anything else: they log in as roles
# of theirs, or use a role "customer".

use strict;
use warnings;

use File::Basename qw(basename);
use FindBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $tests = "$FindBin::Bin/../own_cluster";
my $results = "$PostgreSQL::Test::Utils::tmp_check/own_cluster";
my $node = PostgreSQL::Test::Cluster->new('main');

$node->init(extra => [ '--locale=C', '--encoding=UTF8' ]);
$node->start;
mkdir $results;

for my $name (map { basename($_, '.sql') } glob "$tests/sql/*.sql")
{
	my $same = ok(
		run_log(
			[
				$ENV{PG_REGRESS}, '--bindir=', '--host=' . $node->host, '--port=' . $node->port,
				"--inputdir=$tests", "--outputdir=$results", '--load-extension=dbkit', $name
			]),
		$name);
	diag(slurp_file("$results/regression.diffs")) unless $same;
}

done_testing();
