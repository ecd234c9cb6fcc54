# Python and JavaScript read what dbkit.to_typed_json() writes, and the server what they write, with
# the code of docs/reference/typed-json.md.

use strict;
use warnings;

use FindBin;
use IPC::Run ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

# A program reads lines of typed JSON, and writes of each the milliseconds since 1970 of all times
# in it, and the same JSON again.
my %languages = (
	python => {
		file => 'typed.py',
		version => [ 'python3', '--version' ],
		run => [ 'python3', 'typed.py' ],
		program => <<~'PYTHON',

			import json, sys
			from datetime import timezone

			def times(value):
			    if isinstance(value, datetime):
			        yield (value - datetime(1970, 1, 1, tzinfo=timezone.utc)).total_seconds()
			    elif isinstance(value, date):
			        yield (value - date(1970, 1, 1)).days * 86400.0
			    elif isinstance(value, (dict, list)):
			        for part in value.values() if isinstance(value, dict) else value:
			            yield from times(part)

			for line in sys.stdin:
			    data = json.loads(line, object_hook=decode)
			    print(" ".join(str(round(time * 1000)) for time in times(data)), json.dumps(data, default=encode), sep="\t")
			PYTHON
	},
	js => {
		file => 'typed.mjs',
		version => [ 'node', '--version' ],
		run => [ 'node', 'typed.mjs' ],
		program => <<~'JAVASCRIPT',

			import { readFileSync } from "node:fs";
			const times = (value) => value instanceof Date ? [value.getTime()] : value !== null && typeof value === "object" ? Object.values(value).flatMap(times) : [];
			for (const line of readFileSync(0, "utf8").split("\n").slice(0, -1)) {
			  const data = JSON.parse(line, decode);
			  console.log(`${times(data).join(" ")}\t${JSON.stringify(data, encode)}`);
			}
			JAVASCRIPT
	},
);

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION dbkit; SET dbkit.enforce = off;' . <<'SQL');
	CREATE FUNCTION public.ms(at timestamptz) RETURNS bigint LANGUAGE sql AS 'SELECT round(extract(epoch FROM at) * 1000)::bigint';
	CREATE TABLE public.times (id int PRIMARY KEY, at timestamptz, day date, more timestamptz[]);
	INSERT INTO public.times SELECT n, at, CASE WHEN n % 3 = 0 THEN NULL ELSE at::date END, ARRAY[at, NULL]
	FROM generate_series(1, 200) AS n, LATERAL (SELECT timestamptz '1900-01-01 00:00:00.25+00' + n * interval '1 year 3 days 5 hours 7.125 seconds' AS at) AS s;
	INSERT INTO public.times VALUES (201, '0001-01-01 00:00+00', '0001-01-01', '{}'), (202, '9999-12-31 23:59:59+00', '9999-12-31', NULL), (203, '2024-01-10 12:00:00.001+00', NULL, NULL);
SQL
my $written = $node->safe_psql('postgres', 'SELECT dbkit.to_typed_json(t) FROM public.times AS t ORDER BY id');
my @milliseconds = split /\n/, $node->safe_psql('postgres', <<'SQL');
	SELECT concat_ws(' ', public.ms(at), public.ms(day::timestamp AT TIME ZONE 'UTC'), public.ms(more[1])) FROM public.times ORDER BY id
SQL

# Print the code of the page in a language, as a program.
sub code
{
	my ($language) = @_;
	my $page = slurp_file("$FindBin::Bin/../../docs/reference/typed-json.md");
	my ($code) = $page =~ /^```$language\n(.*?)^```$/ms or die "the page has no $language\n";
	return $code;
}

for my $language (sort keys %languages)
{
	my $its = $languages{$language};
  SKIP:
	{
		skip "there is no $its->{version}[0]", 3 unless eval { IPC::Run::run($its->{version}, '>', \my $out, '2>', \my $err) };
		my $directory = PostgreSQL::Test::Utils::tempdir;
		append_to_file("$directory/$its->{file}", code($language) . $its->{program});
		my $ok = IPC::Run::run($its->{run}, '<', \"$written\n", '>', \my $out, '2>', \my $err, init => sub { chdir $directory });
		ok($ok, "$language runs") or diag $err;
		my @lines = map { [ split /\t/ ] } split /\n/, $out;
		is_deeply([ map { join ' ', sort split / /, $_->[0] } @lines ], [ map { join ' ', sort split / / } @milliseconds ], "$language reads the same times");
		$node->safe_psql('postgres', "SET dbkit.enforce = off; CREATE TABLE public.read_$language (json jsonb)");
		$node->safe_psql('postgres', join ';', map { "INSERT INTO public.read_$language VALUES (\$json\$$_->[1]\$json\$)" } @lines);
		is($node->safe_psql('postgres', "SELECT count(*) FILTER (WHERE dbkit.is_typed_json(json)), count(t) FROM public.read_$language
			LEFT JOIN public.times AS t ON (dbkit.from_typed_json(NULL::public.times, jsonb_set(json, '{day}', 'null'))).at = t.at"), '203|203', "the server reads what $language writes");
	}
}

done_testing();
