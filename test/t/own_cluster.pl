# pg_regress tests that cannot share a cluster with anything else: they log in as roles
# of theirs, or use a role "customer".

use strict;
use warnings;

use File::Basename qw(basename dirname);
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

# Run a test from a directory with sql/ and expected/.
sub regress
{
	my ($directory, $name, $description) = @_;
	my $same = ok(
		run_log(
			[
				$ENV{PG_REGRESS}, '--bindir=', '--host=' . $node->host, '--port=' . $node->port,
				"--inputdir=$directory", "--outputdir=$results", '--load-extension=dbkit', $name
			]),
		$description);
	diag(slurp_file("$results/regression.diffs")) unless $same;
}

regress($tests, $_, $_) for map { basename($_, '.sql') } glob "$tests/sql/*.sql";

# The attacks on a context do not depend on whose its settings are outside of it
my $agreement = q{CREATE FUNCTION dbkit_agreement() RETURNS jsonb IMMUTABLE LANGUAGE sql AS $$ SELECT '{"reserve_settings": false}'::jsonb $$;};
for my $file ('sql/context_attacks.sql', 'expected/context_attacks.out')
{
	my $content = slurp_file("$tests/$file");
	$content =~ s/^SET dbkit.enforce = off;$/$&\n$agreement/m;
	mkdir "$results/" . dirname($file);
	append_to_file("$results/$file", $content);
}
regress($results, 'context_attacks', 'context_attacks, with settings that belong to the application');

done_testing();
