# tools/replay tells what dbkit refused from what it should not have refused, what it let
# through, and what became different, in a history where all of that is known.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/..";
use PostgreSQL::Test::Utils;
use Test::More;
use replay::history;
use replay::oracle;

my $tool = "$FindBin::Bin/../../tools/lib/replay-run";
my $history = "$FindBin::Bin/../replay/history";

# Three rules, and a baseline of what there is
my $adoption = q{
	CREATE EXTENSION dbkit;
	SELECT dbkit.agree('{"rules": {"*": "off", "timestamptz": "error", "bigint": "error", "fk_index": "error"}}');
	SELECT dbkit.baseline();
};

# Run the tool; return its exit status, the sections of its output and the numbers.
sub replay
{
	my ($stdout, $stderr);
	my $status = IPC::Run::run([ $^X, $tool, @_, $history ], '>', \$stdout, '2>', \$stderr) ? 0 : 1;
	my (%section, $title);

	is($stderr, '', 'nothing on stderr');
	for (split /\n/, $stdout)
	{
		$title = $1 if /^(\S.*):$/;
		push @{ $section{$title} }, $1 if /^  (.*)/;
	}
	my ($row) = $stdout =~ /^\| (history .*) \|$/m or diag($stdout);
	my @numbers = split / \| /, $row // '';
	like("@numbers[10, 11]", qr/^\d+\.\d\d \d+\.\d\d$/, 'seconds');
	return ($status, \%section, join ' | ', @numbers[ 0 .. 9 ]);
}

# Compare a section with the beginnings that its lines are to have.
sub lines_are
{
	my ($lines, $beginnings, $name) = @_;
	my @lines = @{ $lines // [] };

	is(scalar @lines, scalar @$beginnings, "$name: how many") or diag(explain(\@lines));
	like($lines[$_] // '', qr/^\Q$beginnings->[$_]\E/, $name) for 0 .. $#$beginnings;
}

my ($status, $section, $row) = replay('--adopt-after=none');
is($status, 0, 'without adoption nothing is missed');
is($row, 'history | 9 | 23 | 4 | 1 | none | 0 | 0 | 0 (0) | 0', 'and nothing found but the error of the history itself');
lines_are($section->{'errors without dbkit'}, ['V2__functions/migration.sql: ALTER TABLE nowhere ADD fails_in_any_case text fails: 42P01'],
	'an error without dbkit');

($status, $section, $row) = replay('--adopt-after=V2', "--adopt-with=$adoption");
is($status, 1, 'a difference is a miss');
lines_are($section->{refused},
	[ 'V4__bad_column.sql: ALTER TABLE orders ADD shipped timestamp: timestamptz of public.orders: column "shipped"',
		'V5__notes/up.sql: CREATE TABLE notes',
		'V6__bad_at_commit.sql: COMMIT: fk_index of public.customers: ' ],
	'what is to be refused');
lines_are($section->{differences}, ['V8__same_name.sql: CREATE FUNCTION updated_at() RETURNS trigger LANGUAGE plpgsql AS'], 'another error');
is($section->{$_}, undef, "none $_") for 'let through', 'said besides, and not found by the oracle';
unlike(join("\n", @{ $section->{'differences of the dumps'} }), qr/shipped|notes|referrer/, 'what was refused is there all the same');

# A dbkit that judges nothing, and a trigger that refuses what breaks no rule
my $broken = $adoption . q{
	ALTER EVENT TRIGGER dbkit_ddl_command_end DISABLE;
	CREATE FUNCTION public.refuse() RETURNS event_trigger LANGUAGE plpgsql AS $$
	BEGIN
		IF current_setting('dbkit.enforce', true) IN ('off', 'warning') THEN
			RETURN;
		END IF;
		RAISE 'table "public.numbers" breaks the schema convention "bigint"' USING ERRCODE = 'KD001', DETAIL = 'bigint: no.';
	END $$;
	CREATE EVENT TRIGGER refuse ON ddl_command_end WHEN TAG IN ('CREATE SEQUENCE') EXECUTE FUNCTION public.refuse();
};
($status, $section, $row) = replay('--adopt-after=2', "--adopt-with=$broken", '--unit=statement');
is($status, 1, 'each is a miss');
lines_are($section->{refused}, ['unfounded: V8__same_name.sql: CREATE SEQUENCE numbers: bigint of public.numbers: no.'], 'unfounded');
lines_are([ sort @{ $section->{'let through'} } ],
	[ 'V4__bad_column.sql: timestamptz of public.orders column shipped',
		'V5__notes/up.sql: bigint of public.pages column number',
		'V5__notes/up.sql: fk_index of public.notes column about',
		'V5__notes/up.sql: timestamptz of public.notes column at',
		'V6__bad_at_commit.sql: fk_index of public.customers column referrer' ],
	'let through');
like(join("\n", @{ $section->{'differences of the dumps'} }), qr/CREATE FUNCTION public.refuse/, 'what only one database has');

# The order of files
sub in_order
{
	my (@names) = @_;
	is_deeply([ sort { replay::history::sort_key($a) cmp replay::history::sort_key($b) } reverse @names ], \@names, "@names");
}
in_order(qw(00_init 1_a 2_b 10_c 20170308140537_d 2017-08-31-230457_e 202310122339_f 20231013000000_g));
in_order(qw(V1__a.sql V2__b.sql V10__c.sql));

# What is new
sub new_names
{
	my ($before, $after) = map {
		[ map { my %finding; @finding{qw(rule oid what object column)} = split / /; \%finding } @$_ ]
	} @_;
	return [ map { "$_->{rule} $_->{object}" } replay::oracle::new_ones($before, $after) ];
}
is_deeply(new_names([ 'bigint 1 1 a n' ], [ 'bigint 1 1 b m' ]), [], 'renamed: not new');
is_deeply(new_names([ 'bigint 1 1 a n' ], [ 'bigint 2 3 a n' ]), [], 'made again: not new');
is_deeply(new_names([ 'bigint 1 1 a n' ], [ 'bigint 1 2 a n' ]), ['bigint a'], 'another column of that name: new');
is_deeply(new_names([ 'bigint 1 1 a n' ], [ 'bigint 1 1 old n', 'bigint 2 1 a n' ]), ['bigint a'], 'the name of what is still there: new');
is_deeply(new_names([ 'fk_index 1 {1} a n' ], [ ('fk_index 1 {1} a n') x 2 ]), ['fk_index a'], 'two instead of one: one is new');

done_testing();
