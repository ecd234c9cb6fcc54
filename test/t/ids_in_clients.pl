# The code of docs/how-to/ids-in-clients.md makes and reads ids and lock keys as the server does, in
# those of its languages that are here.
#
# A program reads calls, one a line with a tab before each argument, and prints what each gives,
# or "error".

use strict;
use warnings;

use FindBin;
use IPC::Run ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my %languages = (
	python => {
		file => 'ids.py',
		version => [ 'python3', '--version' ],
		run => [ 'python3', 'ids.py' ],
		program => <<~'PYTHON',

			import sys
			sys.stdin.reconfigure(encoding="utf-8", newline="\n")
			calls = {
			    "id_from_uuid": lambda prefix, value: id_from_uuid(prefix, uuid.UUID(value)),
			    "id_uuid": id_uuid, "generate_id": generate_id, "lock_key": lock_key}
			for line in sys.stdin:
			    name, *arguments = line[:-1].split("\t")
			    try:
			        print(calls[name](*arguments))
			    except ValueError:
			        print("error")
			PYTHON
	},
	ts => {
		file => 'ids.mjs',
		version => [ 'node', '--version' ],
		run => [ 'node', 'ids.mjs' ],
		program => <<~'JAVASCRIPT',

			import { readFileSync } from "node:fs";
			const calls = { id_from_uuid: idFromUuid, id_uuid: idUuid, generate_id: generateId, lock_key: lockKey };
			for (const line of readFileSync(0, "utf8").split("\n").slice(0, -1)) {
			  const [name, ...rest] = line.split("\t");
			  try {
			    console.log(String(calls[name](...rest)));
			  } catch {
			    console.log("error");
			  }
			}
			JAVASCRIPT
	},
	go => {
		file => 'ids.go',
		version => [ 'go', 'version' ],
		run => [ 'go', 'run', 'ids.go', 'main.go' ],
		more => <<~'GO',
			package main

			import (
				"bufio"
				"encoding/hex"
				"fmt"
				"os"
				"strings"
			)

			func main() {
				for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
					call := strings.Split(lines.Text(), "\t")
					switch call[0] {
					case "id_from_uuid":
						var uuid [16]byte
						hex.Decode(uuid[:], []byte(strings.ReplaceAll(call[2], "-", "")))
						fmt.Println(IDFromUUID(call[1], uuid))
					case "id_uuid":
						if uuid, err := IDUUID(call[1]); err != nil {
							fmt.Println("error")
						} else {
							fmt.Printf("%x-%x-%x-%x-%x\n", uuid[:4], uuid[4:6], uuid[6:8], uuid[8:10], uuid[10:])
						}
					case "generate_id":
						fmt.Println(GenerateID(call[1]))
					case "lock_key":
						fmt.Println(LockKey(call[1]))
					}
				}
			}
			GO
	},
);

# A call and its answer: from TypeID's specification, and SHA-256's test vector "abc"
my @vectors = (
	[ "id_from_uuid\t\t00000000-0000-0000-0000-000000000000", '00000000000000000000000000' ],
	[ "id_from_uuid\t\tffffffff-ffff-ffff-ffff-ffffffffffff", '7zzzzzzzzzzzzzzzzzzzzzzzzz' ],
	[ "id_from_uuid\tprefix\t0110c853-1d09-52d8-d73e-1194e95b5f19", 'prefix_0123456789abcdefghjkmnpqrs' ],
	[ "id_from_uuid\tprefix\t01890a5d-ac96-774b-bcce-b302099a8057", 'prefix_01h455vb4pex5vsknk084sn02q' ],
	[ "id_uuid\tpre_fix_01h455vb4pex5vsknk084sn02q", '01890a5d-ac96-774b-bcce-b302099a8057' ],
	[ "id_uuid\t01h455vb4pex5vsknk084sn02q", '01890a5d-ac96-774b-bcce-b302099a8057' ],
	[ "lock_key\tabc", '-5010229573455851542' ],
);
my @malformed = map { "prefix_$_" } '', '01h455vb4pex5vsknk084sn02', '01h455vb4pex5vsknk084sn02qq', '01h455vb4pex5vsknk084sn02i',
  '01h455vb4pex5vsknk084sn0-q', '01H455VB4PEX5VSKNK084SN02Q', '81h455vb4pex5vsknk084sn02q';

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION dbkit');

# What the server says of random UUIDs and of names of any kind
my @served = map { [ split /=/ ] } split /\n/, $node->safe_psql('postgres', <<'SQL');
	WITH ids AS MATERIALIZED (SELECT uuid, dbkit.id_from_uuid('usr', uuid) AS id FROM generate_series(1, 300), gen_random_uuid() AS uuid),
	names AS (SELECT n::text AS name FROM generate_series(1, 300) AS n UNION ALL VALUES ('deploy'), ('Zürich 🔒'), ('import of today'), (repeat('ü', 512)))
	SELECT concat_ws(E'\t', 'id_from_uuid', 'usr', uuid) || '=' || id FROM ids
	UNION ALL SELECT concat_ws(E'\t', 'id_uuid', id) || '=' || uuid FROM ids
	UNION ALL SELECT concat_ws(E'\t', 'lock_key', name) || '=' || dbkit.lock_key(name) FROM names
SQL

# Print the code of the page in a language, as a program.
sub code
{
	my ($language) = @_;
	my $page = slurp_file("$FindBin::Bin/../../docs/how-to/ids-in-clients.md");
	my ($code) = $page =~ /^```$language\n(.*?)^```$/ms or die "the page has no $language\n";
	$code =~ s/: (?:string|bigint)(?=[,) ])//g if $language eq 'ts';    # node takes types since 22.18
	$code =~ s/^package ids$/package main/m if $language eq 'go';
	return $code;
}

# Write the program of a language; return a function that puts calls to it and returns its answers.
sub program
{
	my ($language) = @_;
	my $its = $languages{$language};
	my $directory = PostgreSQL::Test::Utils::tempdir;
	append_to_file("$directory/$its->{file}", code($language) . ($its->{program} // ''));
	append_to_file("$directory/main.go", $its->{more}) if $its->{more};
	return sub {
		my $calls = join '', map { "$_\n" } @_;
		local $ENV{GOCACHE} = "$directory/cache";
		IPC::Run::run($its->{run}, '<', \$calls, '>', \my $answers, init => sub { chdir $directory }) or die "$language: the program failed\n";
		return split /\n/, $answers;
	};
}

sub is_here
{
	my ($command) = @_;
	return eval { IPC::Run::run($command, '>', \my $out, '2>', \my $err) };
}

# Are these ids made just now?
sub made_now
{
	my $values = join ', ', map { "('$_')" } @_;
	return $node->safe_psql('postgres', <<~SQL);
		SELECT count(DISTINCT id), bool_and(dbkit.is_id(id, 'usr')), bool_and(dbkit.id_uuid(id)::text ~ '^.{14}7.{4}[89ab]'),
			bool_and(abs(extract(epoch FROM dbkit.id_timestamp(id) - clock_timestamp())) < 60)
		FROM (VALUES $values) AS made (id)
		SQL
}

$ENV{PATH} = "/usr/bin:$ENV{PATH}";    # not those of a version manager of root's
for my $language (sort keys %languages)
{
  SKIP:
	{
		my $version = $languages{$language}{version};
		skip("$version->[0] is not here", 4) unless is_here($version);
		my $program = program($language);
		is_deeply([ $program->(map { $_->[0] } @vectors) ], [ map { $_->[1] } @vectors ], "$language: the vectors");
		is_deeply([ $program->(map { "id_uuid\t$_" } @malformed) ], [ map { 'error' } @malformed ], "$language: malformed ids are errors");
		is_deeply([ $program->(map { $_->[0] } @served) ], [ map { $_->[1] } @served ], "$language: as the server does");
		is(made_now($program->(("generate_id\tusr") x 300)), '300|t|t|t', "$language: ids that are made");
	}
}

$node->stop;
done_testing();
