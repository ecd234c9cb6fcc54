# ALTER EXTENSION dbkit UPDATE from each earlier version, whose install script is kept
# in test/upgrade: the extension is object by object what CREATE EXTENSION makes,
# and what the user had is as before.

use strict;
use warnings;

use File::Basename;
use File::Copy;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Comparing qw(same);
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
like($fresh, qr{^member\|view dbkit\.exemption\|What is exempt}m, "as are their views");
like($fresh_definitions, qr/^CREATE FUNCTION public\.generate_id\(prefix text\) RETURNS text\n *LANGUAGE c STRICT PARALLEL SAFE$/m, 'and they are written out');

# That from the edition without C is portable.pl's.
my @sources = split /\n/, $node->safe_psql('fresh',
	"SELECT source FROM pg_extension_update_paths('dbkit') WHERE target = '$version' AND path IS NOT NULL AND source <> 'portable' ORDER BY source");
is_deeply(\@sources, [ sort @frozen ], 'there is a way from each version in test/upgrade, and from no other');

# What earlier versions had instead of an agreement
my %agreed = ('1.0.0-dev' => <<'SQL');
INSERT INTO dbkit.exemption (object, rule, reason, expires_at) VALUES
	('old.%', '*', 'was there before', NULL), ('public.loose\_one', 'storytime', 'nothing to tell', '2100-01-01 00:00Z'),
	('public.loose\_one', 'timestamptz', 'for a while', '2020-01-01 00:00Z'), ('public.100\%', '*', 'by name', NULL),
	('import\_%.%', '*', E'loaded from outside:\ttabs, ''quotes'' and \\ as they come', NULL), ('public.zebra', 'id\_prefix', 'came with an acquisition', NULL);
UPDATE dbkit.exemption SET rule = 'id_prefix' WHERE rule = 'id\_prefix';
SQL
my %settings = ('1.0.0-dev' => q{
	ALTER DATABASE app SET dbkit.rule.storytime = 'warning';
	ALTER DATABASE app SET dbkit.user_table = 'persons, "Other".people';
	ALTER DATABASE app SET dbkit.id_style = 'prefixed'});
my %expected = ('1.0.0-dev' => <<'TEXT' =~ s/\n$//r);
rules|{"storytime": "warning"}
id_style|"prefixed"
exemptions|[{"rule": "*", "object": "import\\_%.%", "reason": "loaded from outside:\ttabs, 'quotes' and \\ as they come"}, {"rule": "*", "object": "old.%", "reason": "was there before"}, {"rule": "*", "object": "public.100%", "reason": "by name"}, {"rule": "storytime", "object": "public.loose_one", "reason": "nothing to tell", "expires_at": "2100-01-01T00:00:00+00:00"}, {"rule": "timestamptz", "object": "public.loose_one", "reason": "for a while", "expires_at": "2020-01-01T00:00:00+00:00"}, {"rule": "id_prefix", "object": "public.zebra", "reason": "came with an acquisition"}]
user_tables|["persons", "\"Other\".people"]
TEXT
my $agreement_lines = qr/^(check|agreement|status|exemption|stale)\|.*\n?|^ALTER SEQUENCE .*\n?|^psql:.*WARNING:  invalid configuration parameter name.*\n|^DETAIL:  "dbkit" is now a reserved.*\n|^psql:<stdin>:\d+: /m;

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
	$made =~ s/^-- What the team has agreed on\n.*?\n\n/$agreed{$source} \/\/ die/mes or die 'database.psql agrees on nothing';
	$node->safe_psql('postgres', 'CREATE DATABASE app');
	# Settings that the library does not know are taken before it is loaded
	$node->safe_psql('app', $settings{$source});
	$node->psql('app', $made, on_error_die => 1);
	my $before = state_of('app');
	like($before, qr/^without a context\|0\nof a\|doc_\w+a\|org_\w+a\n(?:.*WARNING:  invalid configuration parameter name.*\n|DETAIL:.*\n)*psql:<stdin>:\d+: ERROR:  new row violates row-level security policy/m, "$db: and a tenant who sees nothing but its own rows");
	$node->safe_psql('app', $update);
	my $after = state_of('app');
	same($after =~ s/$agreement_lines//gr, $before =~ s/$agreement_lines//gr, "$db: what the user had is as before");
	like($after, qr/^stale\|public\.loose_one\|timestamptz\|.*expired/m, "$db: with an exemption that has expired");
	is($node->safe_psql('app', 'SELECT * FROM jsonb_each(dbkit.agree($${}$$))'), $expected{$source}, "$db: settings and exemptions are the agreement");
	is($node->safe_psql('app', q{SELECT count(*) FROM pg_depend WHERE objid = '"ext.Kit".dbkit_agreement'::regproc AND deptype = 'e'}), '0', "$db: which every dump carries");
	my ($status, $stdout, $stderr) = $node->psql('app', '\set VERBOSITY sqlstate
		CREATE TABLE bad (n bigint)');
	like($stderr, qr/ERROR:  KD001$/, "$db: the conventions are enforced");
	is($node->safe_psql('app', 'DROP EXTENSION dbkit CASCADE; SELECT to_regnamespace($$dbkit$$) IS NULL'), 't', "$db: it can be dropped");
	$node->safe_psql('postgres', 'DROP DATABASE app; DROP OWNED BY regress_owner; DROP ROLE regress_owner, regress_customer');
}

done_testing();
