# ALTER EXTENSION dbkit UPDATE from each earlier version, whose install script is kept
# in test/upgrade: the extension is object by object what CREATE EXTENSION makes,
# and what the user had is as before.

use strict;
use warnings;

use File::Basename;
use File::Copy;
use FindBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
my $directory = $node->config_data('--sharedir') . '/extension';
my @scripts = glob("$FindBin::Bin/../upgrade/dbkit--*.sql");
my @frozen = map { basename($_) =~ /^dbkit--(.*)\.sql$/ } @scripts;
my @copied;

plan skip_all => "the earlier versions cannot be installed into $directory" unless -w $directory;
for my $script (@scripts)
{
	my $copy = "$directory/" . basename($script);
	next if -e $copy;
	copy($script, $copy) or die "$copy: $!";
	push @copied, $copy;
}
END { unlink @copied }

$node->init;
$node->start;

my $members = slurp_file("$FindBin::Bin/members.psql");

# Give the extension as SQL: pg_dump writes out the members for pg_upgrade alone.
sub definitions
{
	my ($db) = @_;
	my ($stdout, $stderr) = run_command([ $node->installed_command('pg_dump'), '--binary-upgrade', '--schema-only', '-d', $node->connstr($db) ]);
	is($stderr, '', "$db: pg_dump is silent");
	$stdout =~ s/^(\\(un)?restrict |SELECT pg_catalog\.binary_upgrade_set_).*//mg;
	$stdout =~ s/'\{?\d+\}?'/N/g;
	return $stdout;
}

# Compare two texts, and show only where they differ.
sub same
{
	my ($got, $expected, $name) = @_;
	my %expected = map { $_ => 1 } split /\n/, $expected;
	my %got = map { $_ => 1 } split /\n/, $got;

	ok($got eq $expected, $name) and return;
	diag("lacks: $_") for grep { !$got{$_} } split /\n/, $expected;
	diag("has: $_") for grep { !$expected{$_} } split /\n/, $got;
}

# What the user has and sees; the members of the extension are compared otherwise
sub state_of
{
	my ($db) = @_;
	my ($status, $stdout, $stderr) = $node->psql($db, slurp_file("$FindBin::Bin/state.psql"));
	return join "\n", grep { !/^(member|event trigger)\|/ } split /\n/, "$stdout\n$stderr";
}

$node->safe_psql('postgres', 'CREATE DATABASE fresh');
$node->safe_psql('fresh', 'CREATE EXTENSION dbkit');
my $version = $node->safe_psql('fresh', q{SELECT default_version FROM pg_available_extensions WHERE name = 'dbkit'});
my $fresh = $node->safe_psql('fresh', $members);
my $fresh_definitions = definitions('fresh');
like($fresh, qr/^member\|function public\.generate_id\(text\)\|a new id/m, 'the members are listed with their comments');
like($fresh, qr/^row of dbkit.exemption\|.*yoyo/m, 'as are their rows');
like($fresh_definitions, qr/^CREATE FUNCTION public\.generate_id\(prefix text\) RETURNS text\n *LANGUAGE c STRICT PARALLEL SAFE$/m, 'and they are written out');

my @sources = split /\n/, $node->safe_psql('fresh',
	"SELECT source FROM pg_extension_update_paths('dbkit') WHERE target = '$version' AND path IS NOT NULL ORDER BY source");
is_deeply(\@sources, [ sort @frozen ], 'there is a way from each version in test/upgrade, and from no other');

for my $source (@sources)
{
	my $db = "from $source";
	my $update = 'ALTER EXTENSION dbkit UPDATE';

	# Nothing but the extension
	$node->safe_psql('postgres', qq{CREATE DATABASE "$db"});
	$node->safe_psql($db, "CREATE EXTENSION dbkit VERSION '$source'");
	is($node->safe_psql($db, q{SELECT extversion FROM pg_extension WHERE extname = 'dbkit'}), $source, "$db: created");
	$node->safe_psql($db, $update);
	same($node->safe_psql($db, $members), $fresh, "$db: the members are those of a fresh one");
	same(definitions($db), $fresh_definitions =~ s/\bfresh\b/$db/gr, "$db: and so are their definitions");

	# A database as teams have them
	my $made = slurp_file("$FindBin::Bin/database.psql");
	$made =~ s/^(CREATE EXTENSION dbkit\b.*);$/$1 VERSION '$source';/m or die 'database.psql does not create dbkit';
	$node->safe_psql('postgres', 'CREATE DATABASE app');
	$node->psql('app', $made, on_error_die => 1);
	my $before = state_of('app');
	like($before, qr/^stale\|public\.loose\\_one\|timestamptz\|.*expired/m, "$db: a database is made, with an exemption that has expired");
	like($before, qr/^without a context\|0\nof a\|doc_\w+a\|org_\w+a\npsql:<stdin>:\d+: ERROR:  new row violates row-level security policy/m, "$db: and a tenant who sees nothing but its own rows");
	$node->safe_psql('app', $update);
	same(state_of('app'), $before, "$db: what the user had is as before");
	my ($status, $stdout, $stderr) = $node->psql('app', '\set VERBOSITY sqlstate
		CREATE TABLE bad (n bigint)');
	like($stderr, qr/ERROR:  KD001$/, "$db: the conventions are enforced");
	is($node->safe_psql('app', 'DROP EXTENSION dbkit CASCADE; SELECT to_regnamespace($$dbkit$$) IS NULL'), 't', "$db: it can be dropped");
	$node->safe_psql('postgres', 'DROP DATABASE app; DROP OWNED BY regress_owner; DROP ROLE regress_owner, regress_customer');
}

done_testing();
