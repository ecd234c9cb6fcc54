# Each rule has a page in docs/rules, which dbkit.explain_rule() shows: what the page says is
# refused is refused with the message that it shows, what it says is accepted is accepted, its
# fix fixes, and its exemption exempts.

use strict;
use warnings;

use FindBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $docs = "$FindBin::Bin/../../docs/rules";
my @sections = ('Refused', 'Accepted', 'Fix', 'On a large table', 'Exempt', 'What it refuses wrongly');

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'dbkit'\ndbkit.large_table_size = '64kB'");
$node->start;
$node->safe_psql('postgres', 'CREATE DATABASE base');
$node->safe_psql('base', q{
	CREATE EXTENSION dbkit;
	SELECT dbkit.agree('{"preset": "house"}');
	SET dbkit.enforce = off;
	CREATE TABLE organizations (id text COLLATE "C" PRIMARY KEY DEFAULT generate_id('org') CHECK (id LIKE 'org_%'));
	CREATE TABLE orders (id text COLLATE "C" PRIMARY KEY DEFAULT generate_id('ord') CHECK (id LIKE 'ord_%'), number bigint);
	INSERT INTO orders (number) SELECT * FROM generate_series(1, 3000)});

# What is found too late to refuse it
my %warns = (lock_held => 1);

# What dbkit.check() finds and no statement is refused for; a role is that of all databases
my %verified = (customer_role_confined => 'SELECT dbkit.verify() \g /dev/null');
$node->safe_psql('base', 'CREATE ROLE customer');
sub reset_roles { $node->safe_psql('base', 'ALTER ROLE customer NOBYPASSRLS') }

# Run SQL in a database of its own; return what it printed and its errors and warnings.
my $count = 0;
sub try
{
	my ($rule, @sql) = @_;
	my $database = 'try_' . $count++;
	$node->safe_psql('postgres', "CREATE DATABASE $database TEMPLATE base");
	my (undef, $out, $err) = $node->psql($database,
		join("\n;\n", 'SET client_min_messages = warning', "SET dbkit.rule_levels = '*=off, $rule=" . ($warns{$rule} ? 'warning' : 'error') . q{'}, @sql), on_error_stop => 1);
	$node->safe_psql('postgres', "DROP DATABASE $database");
	$err =~ s/^psql:<stdin>:\d+: //mg;
	return ($out, $err);
}

# Return the blocks of code in a text, of that language.
sub blocks
{
	my ($text, $language) = @_;
	return $text =~ /^```$language\n(.*?)\n```$/msg;
}

my %pages = map { m{([^/]+)\.md$} ? ($1 => slurp_file($_)) : () } glob "$docs/*.md";
my @rules = split /\n/, $node->safe_psql('base', 'SELECT id FROM dbkit.rules');
is_deeply([ sort keys %pages ], [ sort @rules ], 'every rule has a page, and every page a rule');

for my $rule (@rules)
{
	my $page = $pages{$rule} or next;
	is($node->safe_psql('base', "SELECT dbkit.explain_rule('$rule')"), $page, "$rule: dbkit.explain_rule() shows the page");
	my ($why) = $page =~ /\A# [^\n]*\n\n(.*?)\n\n/s;
	is($node->safe_psql('base', "SELECT why FROM dbkit.rules WHERE id = '$rule'"), $why =~ s/\n/ /gr, "$rule: dbkit.rules gives its first paragraph as the reason");
	cmp_ok(scalar(() = $why =~ /[.?!]("|`|\))?(?=\s|\z)/g), '<=', 2, "$rule: which is one or two sentences");
	cmp_ok(length $why, '<=', 320, "$rule: and short");
	is_deeply([ $page =~ /^#+ (.*)$/mg ], [ $rule, @sections ], "$rule: its sections");

	my %section = $page =~ /^## (.*?)\n(.*?)(?=^## |\z)/msg;
	my ($refused) = blocks($section{Refused}, 'sql');
	my ($message) = blocks($section{Refused} =~ s/```sql.*?```//sr, '');
	my (undef, $err) = try($rule, $refused, $verified{$rule} // ());
	is(($err =~ /^(.*)$/m)[0] =~ s/\d+ ms/1102 ms/r, $message, "$rule: is refused");

	reset_roles();
	my ($accepted) = blocks($section{Accepted}, 'sql');
	my ($out, $said) = try($rule, $accepted, "SELECT * FROM dbkit.check() WHERE object_identity NOT IN ('public.organizations', 'public.orders')");
	is($out . $said, '', "$rule: is accepted");

	my ($exempt) = blocks($section{Exempt}, 'sql');
	(undef, $said) = try($rule, $exempt =~ s/;$//r, $refused, $verified{$rule} // ());
	is($said, '', "$rule: is exempt");

	my ($fix) = blocks($section{Fix}, 'sql') or next;
	my $find = "SELECT count(*) > 0 FROM dbkit.check() WHERE object_identity NOT IN ('public.organizations', 'public.orders')";
	($out, $said) = try($rule, 'SET dbkit.enforce = off', $refused, $find, $fix, $find);
	is($out . $said, "t\nf", "$rule: is fixed");
}

# What docs/reference/rules.md says of each rule, a row of its table for one or two of them
my @listed;
for my $row (grep { m{^\| \[} } split /\n/, slurp_file("$docs/../reference/rules.md"))
{
	my ($rules, $phase, undef, $level, $fix) = $row =~ /^\| (.*?) \| (\w+) \| (.*) \| (\w+) \| (?:(\w+) )?\|$/;
	push @listed, map { join '|', $_, $phase, $level, $fix ? 't' : 'f' } $rules =~ m{\[`\w+`\]\(\.\./rules/(\w+)\.md\)}g;
}
is_deeply([ sort @listed ], [ sort split /\n/, $node->safe_psql('base', 'SELECT id, phase, level, fixable FROM dbkit.rules') ], 'the table of rules');

like(($node->psql('base', q{SELECT dbkit.explain_rule('no_such_rule')}))[2], qr/unrecognized rule: "no_such_rule"/, 'a rule that there is not');

$node->stop;
done_testing();
