# What PostgreSQL 17 and 18 added to the DDL that the conventions judge: a
# constraint that is not enforced or not valid is no constraint, a generated
# column has no default, and no new road leads around a rule.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->start;
my $version = int($node->safe_psql('postgres', 'SHOW server_version_num') / 10000);
if ($version < 17)
{
	$node->stop;
	plan skip_all => "PostgreSQL $version has none of these commands";
}
# btree_gist, as temporal keys compare a text for equality with GiST
my $temporal = $version >= 18
  && $node->safe_psql('postgres', q{SELECT count(*) FROM pg_available_extensions WHERE name = 'btree_gist'});
$node->safe_psql('postgres', 'CREATE EXTENSION dbkit' . ($temporal ? '; CREATE EXTENSION btree_gist' : ''));
$node->safe_psql('postgres', q{ALTER ROLE ALL SET dbkit.rule_levels = 'organization_scope=error, constraint_validated=error'});
$node->safe_psql('postgres', q{SELECT dbkit.exempt('public.organizations', 'organization_scope', 'is the root')});

# Give the SQL of a table that conforms but for what is added or replaced.
sub table
{
	my ($name, %with) = @_;
	my $prefix = substr $name, 0, 3;
	my %column = (
		id => qq{text COLLATE "C" PRIMARY KEY DEFAULT generate_id('$prefix') CHECK (id LIKE '${prefix}_%')},
		created_at => 'timestamptz NOT NULL DEFAULT now()',
		updated_at => 'timestamptz NOT NULL DEFAULT now()',
		storytime => 'jsonb',
		$name eq 'organizations' ? () :
		  (organization_id => 'text COLLATE "C" NOT NULL REFERENCES organizations ON DELETE CASCADE'),
		%with);
	my $rest = delete $column{''} // '';
	my $columns = join ', ', map { "$_ $column{$_}" } sort keys %column;
	return "CREATE TABLE $name ($columns$rest);"
	  . "CREATE TRIGGER updated_at BEFORE UPDATE ON $name FOR EACH ROW EXECUTE FUNCTION updated_at();"
	  . ($name eq 'organizations' ? '' : "CREATE INDEX ON $name (organization_id);")
	  . "ALTER TABLE $name ENABLE ROW LEVEL SECURITY; CREATE POLICY own ON $name USING (id::text = current_user);";
}

# Give the findings, one a line, for which a transaction is rejected: where a statement is,
# without what COMMIT would demand.
sub findings
{
	my ($sql) = @_;
	my ($status, $stdout, $stderr) = $node->psql('postgres', "BEGIN; $sql COMMIT;");
	return 'accepted' if $stderr !~ /ERROR/;
	return $stderr unless $stderr =~ /schema convention.*?\nDETAIL:  (.*?)(?:\nHINT|\nCONTEXT|\z)/s;
	my @all = split /\n/, $1;
	my $commit = $node->safe_psql('postgres', q{SELECT string_agg(id, '|') FROM dbkit.rules WHERE phase = 'commit'});
	my @at_once = grep { !/^(?:$commit): / } @all;
	return join "\n", @at_once ? @at_once : @all;
}

# Expect findings, and that their fixes, where there are any, leave none of them.
sub check_fixes
{
	my ($table, $expected, $name) = @_;
	my $check = "SELECT rule, problem FROM dbkit.check('$table')";
	is($node->safe_psql('postgres', $check), $expected, $name);
	my ($status, $stdout, $stderr) = $node->psql('postgres', qq{
		SET dbkit.enforce = off;
		SELECT fix FROM dbkit.check('$table') WHERE fix IS NOT NULL \\gexec
		$check AND fix IS NOT NULL} =~ s/'\) AND/') WHERE/r);
	is("$stdout$stderr" =~ s/\s+//gr, '', "$name: the fixes run");
}

is(findings(table('organizations')), 'accepted', 'a table that conforms');

# 17
is(findings(table('widgets', half => 'bigint GENERATED ALWAYS AS (1) STORED')), 'accepted', 'a generated column');
is(findings('ALTER TABLE widgets ALTER half SET EXPRESSION AS (2);'), 'accepted', 'whose expression changes');
is(findings('ALTER TABLE widgets SET ACCESS METHOD DEFAULT;'), 'accepted', 'an access method that is the default');
is(findings('ALTER TABLE widgets ALTER created_at DROP NOT NULL, SET ACCESS METHOD DEFAULT;'),
	'created_at: column "created_at" may be null; use timestamptz NOT NULL DEFAULT now().', 'hides nothing');
is(findings(table('numbered',
	id => q{text COLLATE "C" DEFAULT generate_id('num') CHECK (id LIKE 'num_%')},
	number => 'bigint GENERATED ALWAYS AS IDENTITY',
	'' => ', PRIMARY KEY (id, number)) PARTITION BY RANGE (number') . 'CREATE TABLE num_one PARTITION OF numbered FOR VALUES FROM (1) TO (100);'),
	'accepted', 'an identity column of a partitioned table');
is(findings(table('small', number => 'int GENERATED ALWAYS AS IDENTITY')),
	'bigint: column "number" is integer; use bigint.', 'which is to be bigint as any');
$node->safe_psql('postgres', 'SET dbkit.enforce = off; CREATE TABLE bad (n int PRIMARY KEY)');
is($node->safe_psql('postgres', 'REINDEX TABLE bad; REINDEX TABLE CONCURRENTLY bad; REINDEX SCHEMA public; SELECT $$done$$'), 'done',
	'REINDEX, for which event triggers fire, has nothing judged');

# The setting event_triggers: as superuser only, and then the registry misses something
$node->safe_psql('postgres', 'CREATE ROLE regress_user');
like(findings('SET LOCAL ROLE regress_user; SET event_triggers = off;'), qr/permission denied to set parameter "event_triggers"/,
	'an unprivileged role cannot switch event triggers off');
$node->safe_psql('postgres', 'SET event_triggers = off; CREATE TABLE worse (n int); DROP TABLE worse;' . table('unseen'));
is($node->safe_psql('postgres', q{SELECT rule, problem FROM dbkit.check('unseen')}),
	'id_prefix|prefix "uns" is not in the registry, so that another table could have it; use dbkit.register_prefix()',
	'while event_triggers is off, the registry misses a table');
check_fixes('unseen', $node->safe_psql('postgres', q{SELECT rule, problem FROM dbkit.check('unseen')}), 'and is mended');

if ($version >= 18)
{
	# Generated columns, virtual unless they say STORED
	is(findings(table('virtual', updated_at => 'timestamptz GENERATED ALWAYS AS (created_at) NOT NULL')),
		'updated_at: column "updated_at" is a generated column; use timestamptz NOT NULL DEFAULT now().', 'a virtual updated_at');
	is(findings(table('virtual', number => 'int GENERATED ALWAYS AS (length(id))', other_id => 'text COLLATE "C" GENERATED ALWAYS AS (id)')),
		qq{bigint: column "number" is integer; use bigint.}, 'a virtual column of a type that is not wanted');
	is(findings(table('virtual', other_id => 'text COLLATE "C" GENERATED ALWAYS AS (id)')),
		'extid: column "other_id" is not a foreign key; add REFERENCES, or rename it to "other_extid" if the id comes from another system.',
		'a virtual column can be no foreign key');
	$node->safe_psql('postgres', 'SET dbkit.enforce = off;'
		  . table('virtual', number => 'int GENERATED ALWAYS AS (length(id))', other_id => 'text COLLATE "C" GENERATED ALWAYS AS (id)',
			changed => 'timestamptz GENERATED ALWAYS AS (updated_at)'));
	check_fixes('virtual', qq{bigint|column "number" is integer; use bigint\n}
		  . 'extid|column "other_id" is not a foreign key; add REFERENCES, or rename it to "other_extid" if the id comes from another system', 'both');
	is($node->safe_psql('postgres', q{
		INSERT INTO organizations DEFAULT VALUES;
		INSERT INTO virtual (organization_id, updated_at) SELECT id, '2000-01-01' FROM organizations;
		BEGIN; UPDATE virtual SET storytime = '{}' RETURNING OLD.changed < NEW.changed, NEW.changed = now(), NEW.number; COMMIT}),
		't|t|30', 'updated_at() sets what a virtual column shows');

	# NOT ENFORCED
	is(findings(table('lax', id => q{text COLLATE "C" PRIMARY KEY DEFAULT generate_id('lax') CHECK (id LIKE 'lax_%') NOT ENFORCED})),
		q{id_check: no CHECK pins the prefix of column "id"; use CHECK (id LIKE 'lax_%').}, 'a CHECK that is not enforced');
	my $no_key = q{extid: column "organization_id" is not a foreign key; add REFERENCES, or rename it to "organization_extid" if the id comes from another system.}
	  . qq{\norganization_scope: column "organization_id" does not reference the organization table; }
	  . q{use organization_id text COLLATE "C" NOT NULL with a foreign key to the organization table.};
	is(findings(table('lax', organization_id => 'text COLLATE "C" NOT NULL REFERENCES organizations NOT ENFORCED')), $no_key,
		'a foreign key that is not enforced');
	is(findings(table('strict')), 'accepted', 'one that is');
	is(findings('ALTER TABLE strict ALTER CONSTRAINT strict_organization_id_fkey NOT ENFORCED;'), $no_key, 'and no longer is');
	is(findings('ALTER TABLE strict ALTER CONSTRAINT strict_organization_id_fkey NOT ENFORCED, ALTER CONSTRAINT strict_organization_id_fkey ENFORCED;'),
		'accepted', 'and is again');
	is(findings(table('loose', friend_extid => 'text COLLATE "C" REFERENCES strict NOT ENFORCED')), 'accepted',
		'a key that is not enforced needs no index');

	# NOT NULL as a constraint
	is(findings(table('missing', created_at => 'timestamptz DEFAULT now()') . 'ALTER TABLE missing ADD CONSTRAINT made NOT NULL created_at NOT VALID;'),
		'created_at: column "created_at" may be null; use timestamptz NOT NULL DEFAULT now().', 'at the end of CREATE TABLE it is not there');
	is(findings(table('missing', created_at => 'timestamptz CONSTRAINT made NOT NULL DEFAULT now()')), 'accepted', 'with a name');
	is(findings('ALTER TABLE missing DROP CONSTRAINT made;'),
		'created_at: column "created_at" may be null; use timestamptz NOT NULL DEFAULT now().', 'dropped');
	is(findings('ALTER TABLE missing ALTER CONSTRAINT made NO INHERIT; ALTER TABLE missing ALTER CONSTRAINT made INHERIT;'), 'accepted',
		'not inherited');
	is(findings('SET LOCAL dbkit.enforce = off; ALTER TABLE missing DROP CONSTRAINT made, ADD CONSTRAINT made NOT NULL created_at NOT VALID;
		SET LOCAL dbkit.enforce = on; ALTER TABLE missing ADD further bigint;'),
		'created_at: column "created_at" may be null; use timestamptz NOT NULL DEFAULT now().', 'NOT VALID');
	$node->safe_psql('postgres', q{SET dbkit.enforce = off;
		ALTER TABLE missing DROP CONSTRAINT made, ADD CONSTRAINT made NOT NULL created_at NOT VALID;
		ALTER TABLE missing ALTER organization_id DROP NOT NULL, ADD CONSTRAINT made_too NOT NULL organization_id NOT VALID});
	is(findings('ALTER TABLE missing ADD further bigint;'), 'accepted', 'NOT VALID before');
	check_fixes('missing', join("\n",
		'created_at|column "created_at" may be null; use timestamptz NOT NULL DEFAULT now()',
		'organization_scope|column "organization_id" may be null; use NOT NULL',
		'constraint_validated|constraint "made" is not validated; use VALIDATE CONSTRAINT made',
		'constraint_validated|constraint "made_too" is not validated; use VALIDATE CONSTRAINT made_too'), 'NOT VALID');
	is($node->safe_psql('postgres', q{SELECT * FROM dbkit.check('missing')}), '', 'and no finding is left');
	$node->safe_psql('postgres', q{SET dbkit.enforce = off; ALTER TABLE missing DROP CONSTRAINT missing_organization_id_fkey,
		ADD CONSTRAINT key FOREIGN KEY (organization_id) REFERENCES organizations, DROP CONSTRAINT made_too,
		ADD CONSTRAINT made_too NOT NULL organization_id NOT VALID});
	is($node->safe_psql('postgres', q{SELECT problem FROM dbkit.check('missing') WHERE rule = 'fk_on_delete'}),
		'foreign key "key" to "public.organizations" is neither ON DELETE CASCADE nor ON DELETE SET NULL; use ON DELETE CASCADE',
		'a column that takes no new nulls is not to be set null');

	# Inherited, and dropped from the parent alone
	$node->safe_psql('postgres', 'SET dbkit.enforce = off;' . table('parent') . 'CREATE TABLE child () INHERITS (parent)');
	is($node->safe_psql('postgres', q{SET dbkit.enforce = off; ALTER TABLE ONLY parent DROP CONSTRAINT parent_created_at_not_null;
		SELECT problem FROM dbkit.check('parent') WHERE rule = 'created_at' UNION ALL SELECT problem FROM dbkit.check('child') WHERE rule = 'created_at'}),
		'column "created_at" may be null; use timestamptz NOT NULL DEFAULT now()', 'a child keeps what its parent loses');

	# NOT VALID on a partitioned table, and against one
	$node->safe_psql('postgres', q{SET dbkit.enforce = off; ALTER TABLE numbered DROP CONSTRAINT numbered_organization_id_fkey,
		ADD CONSTRAINT late FOREIGN KEY (organization_id) REFERENCES organizations ON DELETE CASCADE NOT VALID});
	check_fixes('numbered', 'constraint_validated|constraint "late" is not validated; use VALIDATE CONSTRAINT late', 'a partitioned table\'s');

	is(findings(q{SELECT dbkit.agree('{"id_style": "uuid"}');} . table('uuids', id => 'uuid PRIMARY KEY DEFAULT uuidv7()')), 'accepted',
		'uuidv7() is a default that generates a uuid');
	$node->safe_psql('postgres', q{SELECT dbkit.agree('{"id_style": null}')});
}

SKIP:
{
	skip 'there are no temporal keys', 8 unless $temporal;
	my $key = q{text COLLATE "C" DEFAULT generate_id('tmp') CHECK (id LIKE 'tmp_%')};
	is(findings(table('tmps', id => $key, valid_at => 'tstzrange NOT NULL', '' => ', PRIMARY KEY (id, valid_at WITHOUT OVERLAPS)')),
		'primary_key: column "id" is not the whole primary key, which is (id, valid_at); use id text COLLATE "C" PRIMARY KEY.', 'a temporal primary key');
	$node->safe_psql('postgres', q{SELECT dbkit.exempt('public.t%ps', 'primary_key', 'temporal');
		SET dbkit.enforce = off; ALTER TABLE organizations ADD valid_at tstzrange NOT NULL DEFAULT '[,]', ADD UNIQUE (id, valid_at WITHOUT OVERLAPS)});
	my %temporal = (id => $key, valid_at => 'tstzrange NOT NULL', organization_id => 'text COLLATE "C" NOT NULL',
		'' => ', PRIMARY KEY (id, valid_at WITHOUT OVERLAPS), CONSTRAINT key FOREIGN KEY (organization_id, PERIOD valid_at) REFERENCES organizations (id, PERIOD valid_at)');
	is(findings(q{SET LOCAL dbkit.rule_levels = 'organization_scope=error, constraint_validated=error, fk_on_delete=off';} . table('tmps', %temporal)),
		'fk_index: foreign key "key" (organization_id, valid_at) has no index; use CREATE INDEX ON public.tmps (organization_id, valid_at).', 'a temporal foreign key');
	is(findings(table('tmps', %temporal) . 'CREATE INDEX ON tmps USING gist (organization_id, valid_at);'),
		'fk_on_delete: foreign key "key" to "public.organizations" is neither ON DELETE CASCADE nor ON DELETE SET NULL; use a key without PERIOD, which has no such action.',
		'and cannot cascade');
	is(findings(q{SET LOCAL dbkit.rule_levels = 'organization_scope=error, constraint_validated=error, fk_on_delete=off';} . table('tmps', %temporal) . 'CREATE INDEX ON tmps USING gist (organization_id, valid_at);'), 'accepted',
		'is served by a GiST index');
	$node->safe_psql('postgres', 'SET dbkit.enforce = off; DROP INDEX tmps_organization_id_valid_at_idx, tmps_organization_id_idx');
	check_fixes('tmps', qq{fk_index|foreign key "key" (organization_id, valid_at) has no index; use CREATE INDEX ON public.tmps (organization_id, valid_at)\n}
		  . 'fk_on_delete|foreign key "key" to "public.organizations" is neither ON DELETE CASCADE nor ON DELETE SET NULL; use a key without PERIOD, which has no such action', 'a temporal table\'s');
	is($node->safe_psql('postgres', q{SELECT rule FROM dbkit.check('tmps')}), 'fk_on_delete', 'what is left is without a fix');
}

$node->stop;
done_testing();
