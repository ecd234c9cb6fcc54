# tools/fixes fills tables, and tells which fixes fail, which fix nothing, which rewrite a
# table too often, and what an application is answered differently, where all of that is known.

use strict;
use warnings;

use FindBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->start;
@ENV{qw(PGHOST PGPORT PGUSER)} = ($node->host, $node->port, $node->safe_psql('postgres', 'SELECT current_user'));

my $history = PostgreSQL::Test::Utils::tempdir . '/shelf';
mkdir $history or die;
append_to_file("$history/1.sql", q{
	CREATE TABLE boxes (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, size integer NOT NULL CHECK (size BETWEEN 40 AND 50), code varchar(3) NOT NULL UNIQUE);
	CREATE TABLE things (id uuid PRIMARY KEY, box_id bigint NOT NULL REFERENCES boxes, kind text CHECK (kind IN ('toy', 'tool')), n integer);
	CREATE TABLE impossible (n integer NOT NULL CHECK (n < n));
	CREATE VIEW large AS SELECT * FROM boxes WHERE size > 0;
	CREATE FUNCTION count_things() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM things';
	CREATE FUNCTION clock() RETURNS timestamptz LANGUAGE sql AS 'SELECT clock_timestamp()';
});

# Scripts that are proposed while a column is as it was
my $column = q{(SELECT format_type(atttypid, NULL) FROM pg_attribute WHERE attrelid = 'public.%s'::regclass AND attname = '%s')};
sub while_column
{
	my ($risk, $table, $name, $type, $script) = @_;
	return sprintf qq(SELECT \$script\$%s\$script\$, '%s' WHERE 'RISK' <= '%s' COLLATE "C" AND $column = '%s'), $script, $table, $risk, $table, $name, $type;
}

# Run the tool; return its exit status, the sections of its output and the rows.
sub fixes
{
	my ($scripts, @options) = @_;
	my ($stdout, $stderr);
	my $status = IPC::Run::run([ $^X, "$FindBin::Bin/../../tools/lib/fixes-run", '--rows=4', "--scripts=$scripts", @options, $history ], '>', \$stdout, '2>', \$stderr) ? 0 : 1;
	my (%section, $title);

	is($stderr, '', 'nothing on stderr');
	for (split /\n/, $stdout)
	{
		$title = $1 if /^(\S.*):$/;
		push @{ $section{$title} }, $1 if /^  (.*)/;
	}
	return ($status, \%section, map { s/ \| [\d.]+$//r } $stdout =~ /^\| (shelf .*) \|$/mg);
}

my ($status, $section, @rows) = fixes('SELECT NULL::text WHERE false', '--risk=safe,breaks');
is($status, 0, 'without fixes nothing is missed');
like($rows[0], qr/^shelf \| safe \| superuser \| 3 \| 1 \| 8 \| /, 'every table but one is filled');
is_deeply($section->{empty}, ['public.impossible: new row for relation "impossible" violates check constraint "impossible_n_check"'], 'which one, and why');
like($_, qr/ \| 0 \| 0 \| 0 \| 0 \(0\) \| 0 \| \d+$/, 'and nothing is different') for @rows;
is(scalar @rows, 4, 'two risks, two roles');

# What each is to be told about
my $rename = while_column('breaks', 'things', 'kind', 'text', 'ALTER TABLE public.things RENAME kind TO sort');
($status, $section, @rows) = fixes($rename, '--risk=breaks', '--as=owner');
is($status, 0, 'a difference in a table that a script of risk breaks names');
like($rows[0], qr/ \| 1 \| 0 \| 0 \| \d+ \(0\) \| 0 \| \d+$/, 'is counted, and no miss');
is_deeply([ grep { /^SELECT/ } @{ $section->{'differences (breaks, as owner)'} } ],
	[ map { qq(SELECT of public.things as $_: "error 42703 column "kind" does not exist" instead of "SELECT 4") } qw(app owner) ], 'and listed');

($status, $section, @rows) = fixes(while_column('safe', 'things', 'kind', 'text', 'ALTER TABLE public.things RENAME kind TO sort'), '--risk=safe', '--as=owner');
is($status, 1, 'a difference at risk safe is a miss');
like($rows[0], qr/ \| 1 \| 0 \| 0 \| (\d+) \(\1\) \| 0 \| \d+$/, 'as no script of risk breaks names it');

my $elsewhere = while_column('breaks', 'things', 'kind', 'text', 'SELECT NULL FROM public.boxes; DO \'BEGIN EXECUTE \'\'ALTER TABLE public.\'\' || \'\'things RENAME kind TO sort\'\'; END\'');
($status, $section, @rows) = fixes($elsewhere, '--risk=breaks', '--as=owner');
is($status, 1, 'so is one that no script names');
like($section->{'differences (breaks, as owner)'}[0], qr/^unnamed: /, 'which it says');

($status, $section, @rows) = fixes(while_column('safe', 'boxes', 'size', 'integer', 'ALTER TABLE public.boxes ALTER size TYPE bigint'), '--risk=safe', '--as=superuser');
is($status, 1, 'a dependent view');
like(join("\n", @{ $section->{'failures (safe, as superuser)'} }), qr/^0A000 cannot alter type of a column used by a view or rule \(.*\), for boxes: ALTER TABLE public.boxes ALTER size TYPE bigint$/, 'makes a fix fail');
is_deeply($section->{'proposed again (safe, as superuser)'}, ['ALTER TABLE public.boxes ALTER size TYPE bigint'], 'and it is proposed again');

my $twice = while_column('locks', 'things', 'n', 'integer', 'ALTER TABLE public.things ALTER n TYPE bigint; ALTER TABLE public.things ALTER n TYPE integer USING n; ALTER TABLE public.things RENAME n TO m; ALTER TABLE public.things ADD n bigint');
($status, $section, @rows) = fixes($twice, '--risk=locks', '--as=superuser');
is_deeply($section->{'rewritten too often (locks, as superuser)'}, ['things: 2 times'], 'two rewrites in one script');

# What changes only for those who are connected already
($status, $section, @rows) = fixes(while_column('locks', 'things', 'n', 'integer', 'ALTER TABLE public.things ALTER n TYPE bigint'), '--risk=locks', '--as=superuser');
like(join("\n", @{ $section->{'differences (locks, as superuser)'} }), qr/^unnamed: SELECT of public.things as app: "types 2950, 20, 25, 20" instead of "types 2950, 20, 25, 23"$/m, 'another type');

($status, $section, @rows) = fixes("SELECT 'ALTER VIEW public.large SET (security_invoker)' FROM pg_class WHERE relname = 'large' AND reloptions IS NULL", '--risk=safe', '--as=owner');
is_deeply($section->{'differences (safe, as owner)'}, ['unnamed: SELECT of public.large as reader: "error 42501 permission denied for table boxes" instead of "SELECT 4"'], 'a role that may read a view alone');

# Rows of catalogs are in no order of their own
$node->safe_psql('postgres', 'CREATE DATABASE reused');
$node->safe_psql('reused', $_) for q(CREATE EXTENSION dbkit; SELECT dbkit.agree('{"id_style": "bigint"}'); SET dbkit.enforce = off; CREATE TABLE gone (n integer PRIMARY KEY); CREATE TABLE gone_too (n integer REFERENCES gone);
	CREATE TABLE boxes (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY); CREATE TABLE things (id bigint PRIMARY KEY, a_id integer REFERENCES boxes, b_id integer); DROP TABLE gone_too, gone),
	'VACUUM pg_constraint', 'SET dbkit.enforce = off; ALTER TABLE things ADD FOREIGN KEY (b_id) REFERENCES boxes';
is($node->safe_psql('reused', q{SELECT string_agg(conname, ' ' ORDER BY ctid) FROM pg_constraint WHERE conrelid = 'things'::regclass AND contype = 'f'}),
	'things_b_id_fkey things_a_id_fkey', 'a new foreign key stands before an old one in pg_constraint');
like($node->safe_psql('reused', q{SELECT dbkit.fixes('breaks')}), qr/column "a_id" references.*column "b_id" references/s, 'in a script they are in the order of their columns');

done_testing();
