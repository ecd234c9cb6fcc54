# Python, JavaScript and YAML files hold a definition for dbkit.schema_sql(), with the commands of
# docs/reference/ledger.md; all make the same SQL, which makes the tables.

use strict;
use warnings;

use FindBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

# The file of each language, what finds out whether it can be read here, and how its command begins
my @languages = (
	{
		file => 'schema.py',
		check => 'python3 --version',
		command => qr/^python3 .*\bschema\.definition.*$/m,
		text => <<~'PYTHON',
			definition = {
			    "version": 1,
			    "tables": [
			        dict(
			            name="documents",
			            columns=[
			                dict(name="title", type="text", nullable=False),
			                dict(name="state", type="text", default="'it''s \"new\": ü'"),
			                dict(name="pages", type="int", default=0),
			                dict(name="organization_id", type="text", nullable=False),
			            ],
			            foreign_keys=[dict(columns=["organization_id"], references="organizations")],
			            indexes=[dict(name="documents_title", columns=["title"], unique=True)],
			        ),
			        dict(name="organizations", columns=[dict(name="id", type="text", primary_key=True), dict(name="name", type="text", default=None)]),
			    ],
			    "migrations": ["COMMENT ON TABLE documents IS 'What is written'"],
			}
			PYTHON
	},
	{
		file => 'schema.mjs',
		check => 'node --version',
		command => qr/^node .*$/m,
		text => <<~'JAVASCRIPT',
			const text = (name, more) => ({ name, type: "text", ...more });
			export const definition = {
			  version: 1,
			  tables: [
			    {
			      name: "documents",
			      columns: [
			        text("title", { nullable: false }), text("state", { default: `'it''s "new": ü'` }),
			        { name: "pages", type: "int", default: 0 }, text("organization_id", { nullable: false }),
			      ],
			      foreign_keys: [{ columns: ["organization_id"], references: "organizations" }],
			      indexes: [{ name: "documents_title", columns: ["title"], unique: true }],
			    },
			    { name: "organizations", columns: [text("id", { primary_key: true }), text("name", { default: undefined })] },
			  ],
			  migrations: ["COMMENT ON TABLE documents IS 'What is written'"],
			};
			JAVASCRIPT
	},
	{
		file => 'schema.yaml',
		check => 'python3 -c "import yaml"',
		command => qr/^python3 .*schema\.yaml.*$/m,
		text => <<~'YAML',
			version: 1
			tables:
			  - name: documents
			    columns:
			      - {name: title, type: text, nullable: no}
			      - name: state
			        type: text
			        default: "'it''s \"new\": ü'"
			      - {name: pages, type: int, default: 0}
			      - {name: organization_id, type: text, nullable: false}
			    foreign_keys:
			      - {columns: [organization_id], references: organizations}
			    indexes:
			      - {name: documents_title, columns: [title], unique: yes}
			  - name: organizations
			    columns:
			      - {name: id, type: text, primary_key: true}
			      - {name: name, type: text, default: null}
			migrations:
			  - |
			    COMMENT ON TABLE documents IS 'What is written'
			YAML
	});

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init(extra => ['--encoding=UTF8']);
$node->start;
@ENV{qw(PGHOST PGPORT PGDATABASE PGCLIENTENCODING)} = ($node->host, $node->port, 'postgres', 'UTF8');
$node->safe_psql('postgres', 'CREATE EXTENSION dbkit; CREATE ROLE customer');

my $page = slurp_file("$FindBin::Bin/../../docs/reference/ledger.md");
my ($to_sql) = $page =~ /^(echo "SELECT dbkit\.schema_sql.*)$/m or die "the page does not say how the SQL is written\n";
my %written;
for my $language (@languages)
{
  SKIP:
	{
		skip "there is nothing to read $language->{file} with", 2 if system("$language->{check} > /dev/null 2>&1") != 0;
		my $directory = PostgreSQL::Test::Utils::tempdir;
		append_to_file("$directory/$language->{file}", $language->{text});
		my ($to_json) = $page =~ /($language->{command})/ or die "the page has no command for $language->{file}\n";
		append_to_file("$directory/run", "set -e\n$to_json\n$to_sql\n");
		is(system("cd '$directory' && PYTHONIOENCODING=utf-8 bash run"), 0, "$language->{file} becomes SQL");
		$written{ slurp_file("$directory/0001_tables.sql") =~ s/\s+;$/;/mgr }++;
		is($node->psql('postgres', "BEGIN; \\i $directory/0001_tables.sql\nSELECT 1 / (count(*) = 2)::int FROM pg_tables WHERE schemaname = 'public'; ROLLBACK;"), 0, 'which makes the tables');
	}
}
is(keys %written, 1, 'all languages make the same SQL') or diag(join "\n\n", keys %written);

done_testing();
