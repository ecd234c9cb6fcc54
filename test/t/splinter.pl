# splinter and dbkit on the same databases: where a lint of splinter and a rule of dbkit judge
# the same, they name the same objects, but for the differences that are listed here with their
# reasons.  docs/explanation/other-linters.md names the same pairs, and every lint.
#
# DBKIT_SPLINTER          a clone of https://github.com/supabase/splinter.  Without it only the
#                         page is tested
# DBKIT_SPLINTER_SCHEMAS  directories of migrations, as for tools/replay, separated by ":", on
#                         whose schemas both are run as well

use strict;
use warnings;

use File::Basename;
use FindBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use lib "$FindBin::Bin/..";
use replay::history;
use replay::session;

my $tree = "$FindBin::Bin/../..";
my $page = slurp_file("$tree/docs/explanation/other-linters.md");

# Why one of the two names an object and the other does not: who names it, and of what this is
# true.  There, d is what is named, c and n are its row in pg_class and its schema, k is the
# foreign key and p the policy that it is about.
my %reasons = (
	'a partition: dbkit judges the partitioned table' => [ splinter => 'c.relispartition' ],
	'a partitioned table: splinter looks at ordinary tables and their partitions' => [ dbkit => q{c.relkind = 'p'} ],
	'an enum table: in dbkit it answers to enum_table alone' => [ splinter => q{c.relname LIKE '%\_enum'} ],
	'the ledger of a migration tool: in dbkit it is exempt' =>
	  [ splinter => q{EXISTS (SELECT FROM dbkit.exemption e WHERE e.builtin AND format('%s.%s', n.nspname, c.relname) LIKE e.object)} ],
	'the table of an extension: dbkit judges none' =>
	  [ splinter => q{EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_class'::regclass AND e.objid = c.oid AND e.deptype = 'e')} ],
	'in a schema of Supabase: splinter leaves these out' => [ dbkit => q{d.object ~ '^(auth|pgmq)\.'} ],
	'not exposed: splinter asks what anon and authenticated may read in the schemas of the API' => [ dbkit =>
		  q{n.nspname <> 'public' OR NOT (has_table_privilege('anon', c.oid, 'SELECT') OR has_table_privilege('authenticated', c.oid, 'SELECT'))} ],

	# foreign keys and indexes
	'the index has the columns in another order: dbkit takes any' => [ splinter => q{EXISTS (
		SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indpred IS NULL AND k.conkey <@ (i.indkey::int2[])[0:cardinality(k.conkey) - 1])} ],
	'the index is partial: splinter counts it' => [ dbkit => 'EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indpred IS NOT NULL)' ],
	'the index is neither btree nor hash: splinter counts it' => [ dbkit =>
		  q{EXISTS (SELECT FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid JOIN pg_am m ON m.oid = x.relam WHERE i.indrelid = c.oid AND m.amname NOT IN ('btree', 'hash'))} ],
	'the index has a column in INCLUDE: splinter counts it' => [ dbkit =>
		  'EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indnkeyatts < cardinality(k.conkey) AND i.indnatts >= cardinality(k.conkey))' ],
	'the index has another collation: splinter counts it' => [ dbkit =>
		  'EXISTS (SELECT FROM pg_index i JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = i.indkey[0] WHERE i.indrelid = c.oid AND i.indcollation[0] <> a.attcollation)' ],
	'another index serves as well, but its definition is another text' => [ dbkit =>
		  q{(SELECT count(*) = count(DISTINCT replace(pg_get_indexdef(x.oid), x.relname, '')) FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid WHERE i.indrelid = c.oid)} ],
	'indexes of expressions or a part of the rows: dbkit compares columns alone' => [ splinter =>
		  'EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND (i.indexprs IS NOT NULL OR i.indpred IS NOT NULL))' ],
	'both belong to a constraint: dbkit drops no index of one' => [ splinter =>
		  '(SELECT count(*) > 1 FROM pg_constraint o WHERE o.conrelid = c.oid AND o.conindid <> 0)' ],
	'a materialized view: dbkit judges its columns and indexes no more than those of a query' => [ splinter => q{c.relkind = 'm'} ],

	# policies
	'policies, but restrictive ones alone' => [ dbkit =>
		  'EXISTS (SELECT FROM pg_policy o WHERE o.polrelid = c.oid) AND NOT EXISTS (SELECT FROM pg_policy o WHERE o.polrelid = c.oid AND o.polpermissive)' ],
	'rows are open to change, but not to be inserted, in a table without a tenant column' => [ splinter =>
		  q{(p.polcmd IN ('w', 'd') OR p.polwithcheck IS NOT NULL) AND NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'organization_id')} ],
	'a restrictive policy checks what is inserted' => [ splinter => q{EXISTS (SELECT FROM pg_policy o WHERE o.polrelid = c.oid AND NOT o.polpermissive)} ],
	'rows are open to be read: splinter leaves that out' => [ dbkit => q{p.polcmd = 'r'} ],
	'true for every row, but not of the texts that splinter knows' => [ dbkit => q{pg_get_expr(p.polqual, c.oid) ~ 'OR true'} ],
	'a policy of other roles: splinter asks about anon, authenticated and PUBLIC' => [ dbkit =>
		  q{NOT p.polroles && ARRAY[0::oid, 'anon'::regrole::oid, 'authenticated'::regrole::oid]} ],
	'a comparison of constants: dbkit computes nothing' => [ splinter => q{pg_get_expr(coalesce(p.polwithcheck, p.polqual), c.oid) ~ '1 = 1'} ],
	'a function reads the setting: dbkit does not look into functions' => [ splinter => q{pg_get_expr(p.polqual, c.oid) ~ 'auth\.jwt'} ],

	# views and functions
	'a spelling of true that splinter does not know' => [ splinter => q{c.reloptions::text ~ 'security_invoker=t(r|ru)?[,\}]'} ],
	'a materialized view: it has no security_invoker' => [ splinter => q{c.relkind = 'm'} ],
	'the view is as it should be: rls_enabled names the table auth.users' => [ splinter => q{c.reloptions::text ~ 'security_invoker=true'} ],
	'no body of text: its names were looked up when it was made' => [ splinter =>
		  q{EXISTS (SELECT FROM pg_proc f JOIN pg_language l ON l.oid = f.prolang WHERE format('%I.%I', f.pronamespace::regnamespace::text, f.proname) = d.object
			AND (f.prosqlbody IS NOT NULL OR l.lanname IN ('c', 'internal')))} ],
	'the agreement: nobody calls the function that keeps it' => [ splinter => q{d.object ~ '\.dbkit_agreement$'} ],
	'it shows no table with row level security' => [ splinter => q{NOT EXISTS (
		SELECT FROM pg_rewrite r JOIN pg_depend e ON e.classid = 'pg_rewrite'::regclass AND e.objid = r.oid JOIN pg_class t ON t.oid = e.refobjid
		WHERE r.ev_class = c.oid AND t.relrowsecurity)} ],
	'it sets a search_path, but one that its caller can put objects into' => [ dbkit =>
		  q{EXISTS (SELECT FROM pg_proc f WHERE format('%I.%I', f.pronamespace::regnamespace::text, f.proname) = d.object AND f.proconfig IS NOT NULL)} ],
);

# What may differ in every lint about tables
my @of_tables = (
	'a partition: dbkit judges the partitioned table',
	'a partitioned table: splinter looks at ordinary tables and their partitions',
	'an enum table: in dbkit it answers to enum_table alone',
	'the ledger of a migration tool: in dbkit it is exempt',
);
my $supabase = 'in a schema of Supabase: splinter leaves these out';
my $not_exposed = 'not exposed: splinter asks what anon and authenticated may read in the schemas of the API';

# The lints that rules judge as well.  "both" is what both name of the database below, "because"
# are the reasons why one of them names something alone.  Where the lint is narrower than the
# rules, only what splinter names counts.
my @judged = (
	{
		lint => 'unindexed_foreign_keys',
		rules => ['fk_index'],
		part => 1,
		both => [ 'public."Fk ""Quoted""" to "parents', 'public.fk_bare fk_bare_key', 'public.fk_invalid fk_invalid_key', 'public.parted parted_key' ],
		because => [
			@of_tables[ 0, 2, 3 ], $supabase,
			'the index has the columns in another order: dbkit takes any',
			'the index is partial: splinter counts it',
			'the index is neither btree nor hash: splinter counts it',
			'the index has a column in INCLUDE: splinter counts it',
			'the index has another collation: splinter counts it',
		],
	},
	{
		lint => 'no_primary_key',
		rules => ['primary_key'],
		both => [ 'other.keyless', 'public.keyless' ],
		because => [ @of_tables, $supabase ],
	},
	{
		lint => 'duplicate_index',
		rules => ['duplicate_index'],
		both => ['public.twice'],
		because => [
			@of_tables[ 0, 1 ],
			'another index serves as well, but its definition is another text',
			'indexes of expressions or a part of the rows: dbkit compares columns alone',
			'both belong to a constraint: dbkit drops no index of one',
			'a materialized view: dbkit judges its columns and indexes no more than those of a query',
		],
	},
	{
		lint => 'rls_disabled_in_public',
		rules => [ 'rls_enabled', 'partition_rls' ],
		both => [ 'public.rls_dormant', 'public.rls_off', 'public.rls_root_part', 'public.rls_sensitive' ],
		because => [ @of_tables, 'the table of an extension: dbkit judges none', $not_exposed ],
	},
	{
		lint => 'policy_exists_rls_disabled',
		rules => ['rls_enabled'],
		narrower => 1,
		both => ['public.rls_dormant'],
		because => [ $of_tables[0] ],
	},
	{
		lint => 'sensitive_columns_exposed',
		rules => ['rls_enabled'],
		narrower => 1,
		both => ['public.rls_sensitive'],
		because => [ $of_tables[0] ],
	},
	{
		lint => 'insecure_queue_exposed_in_api',
		rules => ['rls_enabled'],
		narrower => 1,
		both => ['pgmq.q_jobs'],
		because => [],
	},
	{
		lint => 'rls_enabled_no_policy',
		rules => ['rls_policy'],
		both => ['public.rls_no_policy'],
		because => [ @of_tables[ 0, 1 ], 'policies, but restrictive ones alone' ],
	},
	{
		lint => 'rls_policy_always_true',
		rules => [ 'policy_with_check', 'open_policy' ],
		part => 1,
		both => [ 'public.open everything', 'public.open insert', 'public.open_tenants constants', 'public.open_tenants update' ],
		because => [
			$of_tables[0],
			'rows are open to change, but not to be inserted, in a table without a tenant column',
			'a restrictive policy checks what is inserted',
			'a comparison of constants: dbkit computes nothing',
			'rows are open to be read: splinter leaves that out',
			'true for every row, but not of the texts that splinter knows',
			'a policy of other roles: splinter asks about anon, authenticated and PUBLIC',
		],
	},
	{
		lint => 'rls_references_user_metadata',
		rules => ['forgeable_policy'],
		part => 1,
		narrower => 1,
		both => ['public.metadata setting'],
		because => ['a function reads the setting: dbkit does not look into functions'],
	},
	{
		lint => 'security_definer_view',
		rules => ['view_security_invoker'],
		both => [ 'public.auth_definer', 'public.view_definer' ],
		because => [ $not_exposed, 'a spelling of true that splinter does not know' ],
	},
	{
		lint => 'auth_users_exposed',
		rules => ['view_security_invoker'],
		narrower => 1,
		both => ['public.auth_definer'],
		because => [ 'a materialized view: it has no security_invoker', 'the view is as it should be: rls_enabled names the table auth.users' ],
	},
	{
		lint => 'function_search_path_mutable',
		rules => [ 'function_search_path', 'security_definer_path' ],
		both => [ 'public.definer', 'public.invoker' ],
		because => [
			$supabase,
			'no body of text: its names were looked up when it was made',
			'the agreement: nobody calls the function that keeps it',
			'it sets a search_path, but one that its caller can put objects into',
		],
	},
	{
		lint => 'materialized_view_in_api',
		rules => ['rls_view'],
		both => ['public.twice_view'],
		because => [ $not_exposed, 'it shows no table with row level security' ],
	},
);

# The lints that no rule judges; the page says why
my @not_judged = qw(auth_rls_initplan unused_index multiple_permissive_policies extension_in_public foreign_table_in_api
  unsupported_reg_types table_bloat fkey_to_auth_unique extension_versions_outdated public_bucket_allows_listing pg_graphql_anon_table_exposed
  pg_graphql_authenticated_table_exposed anon_security_definer_function_executable authenticated_security_definer_function_executable);

# What Supabase has
my $supabase_roles = q{
	CREATE ROLE anon;
	CREATE ROLE authenticated;
	CREATE ROLE service_role};

# Tables that keep and that break what the lints and the rules demand.  Those that are not about
# row level security get it, and a policy, at the end.
my $tables = q{
	CREATE SCHEMA auth;
	CREATE FUNCTION auth.jwt() RETURNS jsonb STABLE LANGUAGE sql SET search_path = '' RETURN pg_catalog.current_setting('request.jwt.claims', true)::jsonb;
	CREATE SCHEMA other;
	CREATE SCHEMA pgmq;
	CREATE EXTENSION btree_gin;

	-- foreign keys
	CREATE TABLE parents (id bigint PRIMARY KEY, a bigint NOT NULL, b bigint NOT NULL, name text UNIQUE, UNIQUE (a, b));
	CREATE TABLE fk_bare (id bigint PRIMARY KEY, parent bigint CONSTRAINT fk_bare_key REFERENCES parents);
	CREATE TABLE "Fk ""Quoted""" ("Id" bigint PRIMARY KEY, "the ""parent""" bigint CONSTRAINT "to ""parents" REFERENCES parents);
	CREATE TABLE fk_indexed (id bigint PRIMARY KEY, parent bigint REFERENCES parents);
	CREATE INDEX ON fk_indexed (parent);
	CREATE TABLE fk_invalid (id bigint PRIMARY KEY, parent bigint CONSTRAINT fk_invalid_key REFERENCES parents);
	CREATE INDEX fk_invalid_index ON fk_invalid (parent);
	UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'fk_invalid_index'::regclass;
	CREATE TABLE fk_other_order (id bigint PRIMARY KEY, a bigint, b bigint, FOREIGN KEY (a, b) REFERENCES parents (a, b));
	CREATE INDEX ON fk_other_order (b, a);
	CREATE TABLE fk_partial (id bigint PRIMARY KEY, parent bigint REFERENCES parents);
	CREATE INDEX ON fk_partial (parent) WHERE id > 10;
	CREATE TABLE fk_not_null (id bigint PRIMARY KEY, parent bigint REFERENCES parents);
	CREATE INDEX ON fk_not_null (parent) WHERE parent IS NOT NULL;
	CREATE TABLE fk_gin (id bigint PRIMARY KEY, parent bigint REFERENCES parents);
	CREATE INDEX ON fk_gin USING gin (parent);
	CREATE TABLE fk_include (id bigint PRIMARY KEY, a bigint, b bigint, FOREIGN KEY (a, b) REFERENCES parents (a, b));
	CREATE INDEX ON fk_include (a) INCLUDE (b);
	CREATE TABLE fk_collation (id bigint PRIMARY KEY, parent text REFERENCES parents (name));
	CREATE INDEX ON fk_collation (parent COLLATE "C");
	CREATE TABLE fk_enum (value text PRIMARY KEY, parent bigint REFERENCES parents);
	CREATE TABLE schema_migrations (version text, parent bigint REFERENCES parents);
	CREATE TABLE auth.users (id bigint PRIMARY KEY, parent bigint REFERENCES parents);
	CREATE TABLE parted (id bigint PRIMARY KEY, parent bigint CONSTRAINT parted_key REFERENCES parents) PARTITION BY RANGE (id);
	CREATE TABLE parted_part PARTITION OF parted FOR VALUES FROM (1) TO (10);

	-- primary keys
	CREATE TABLE keyless (n bigint);
	CREATE TABLE other.keyless (n bigint);
	CREATE TABLE pair (a bigint, b bigint, PRIMARY KEY (a, b));
	CREATE TABLE auth.keyless (n bigint);
	CREATE TABLE keyless_enum (value text);
	CREATE TABLE keyless_parted (n bigint) PARTITION BY RANGE (n);
	CREATE TABLE keyless_parted_part PARTITION OF keyless_parted FOR VALUES FROM (1) TO (10);

	-- indexes
	CREATE TABLE twice (id bigint PRIMARY KEY, n bigint);
	CREATE INDEX twice_1 ON twice (n);
	CREATE INDEX twice_2 ON twice (n);
	CREATE TABLE once (id bigint PRIMARY KEY, n bigint, m bigint);
	CREATE INDEX ON once (n);
	CREATE INDEX ON once (m);
	CREATE TABLE served (id bigint PRIMARY KEY, n bigint, m bigint);
	CREATE INDEX ON served (n);
	CREATE INDEX ON served (n DESC, m);
	CREATE TABLE twice_expression (id bigint PRIMARY KEY, name text);
	CREATE INDEX ON twice_expression (lower(name));
	CREATE INDEX ON twice_expression (lower(name));
	CREATE TABLE twice_constraint (id bigint PRIMARY KEY, n bigint, UNIQUE (n));
	ALTER TABLE twice_constraint ADD CONSTRAINT again UNIQUE (n);
	CREATE MATERIALIZED VIEW twice_view AS SELECT id FROM parents;
	CREATE INDEX ON twice_view (id);
	CREATE INDEX ON twice_view (id);
	CREATE TABLE twice_parted (id bigint PRIMARY KEY, n bigint) PARTITION BY RANGE (id);
	CREATE TABLE twice_parted_part PARTITION OF twice_parted FOR VALUES FROM (1) TO (10);
	CREATE INDEX ON twice_parted (n);
	CREATE INDEX ON twice_parted (n);

	-- row level security
	CREATE TABLE rls_off (id bigint PRIMARY KEY);
	CREATE TABLE rls_sensitive (id bigint PRIMARY KEY, "Credit-Card" text);
	CREATE TABLE rls_dormant (id bigint PRIMARY KEY);
	CREATE POLICY own ON rls_dormant USING (id = 1);
	CREATE TABLE rls_private (id bigint PRIMARY KEY);
	CREATE TABLE other.rls_off (id bigint PRIMARY KEY);
	CREATE TABLE rls_enum (value text PRIMARY KEY);
	CREATE TABLE rls_of_extension (id bigint PRIMARY KEY);
	ALTER EXTENSION plpgsql ADD TABLE rls_of_extension;
	CREATE TABLE rls_parted (id bigint PRIMARY KEY, password text) PARTITION BY RANGE (id);
	CREATE TABLE rls_parted_part PARTITION OF rls_parted FOR VALUES FROM (1) TO (10);
	CREATE POLICY own ON rls_parted_part USING (id = 1);
	CREATE TABLE rls_root (id bigint PRIMARY KEY) PARTITION BY RANGE (id);
	ALTER TABLE rls_root ENABLE ROW LEVEL SECURITY;
	CREATE POLICY own ON rls_root USING (id = 1);
	CREATE TABLE rls_root_part PARTITION OF rls_root FOR VALUES FROM (1) TO (10);
	ALTER TABLE rls_root_part DISABLE ROW LEVEL SECURITY;
	CREATE TABLE rls_goose_db_version (id bigint PRIMARY KEY);
	ALTER TABLE rls_goose_db_version RENAME TO goose_db_version;
	CREATE TABLE pgmq.q_jobs (id bigint PRIMARY KEY);
	CREATE TABLE rls_no_policy (id bigint PRIMARY KEY);
	CREATE TABLE rls_restrictive (id bigint PRIMARY KEY);
	CREATE POLICY own ON rls_restrictive AS RESTRICTIVE USING (id = 1);
	CREATE TABLE rls_no_policy_parted (id bigint PRIMARY KEY) PARTITION BY RANGE (id);
	CREATE TABLE rls_no_policy_parted_part PARTITION OF rls_no_policy_parted FOR VALUES FROM (1) TO (10);
	ALTER TABLE rls_no_policy ENABLE ROW LEVEL SECURITY;
	ALTER TABLE rls_restrictive ENABLE ROW LEVEL SECURITY;
	ALTER TABLE rls_no_policy_parted ENABLE ROW LEVEL SECURITY;
	ALTER TABLE rls_no_policy_parted_part ENABLE ROW LEVEL SECURITY;

	-- policies
	CREATE TABLE open (id bigint PRIMARY KEY);
	CREATE POLICY everything ON open USING (true);
	CREATE POLICY insert ON open FOR INSERT WITH CHECK (true);
	CREATE POLICY constants ON open FOR INSERT WITH CHECK (1 = 1);
	CREATE POLICY "update" ON open FOR UPDATE USING (true);
	CREATE POLICY read ON open FOR SELECT USING (true);
	CREATE POLICY "other role" ON open FOR INSERT TO service_role WITH CHECK (true);
	CREATE POLICY half ON open USING (true) WITH CHECK (id = 1);
	CREATE POLICY own ON open USING (id = 1);
	CREATE TABLE open_tenants (id bigint PRIMARY KEY, organization_id text);
	CREATE POLICY "update" ON open_tenants FOR UPDATE USING (true);
	CREATE POLICY constants ON open_tenants FOR DELETE USING (1 = 1);
	CREATE POLICY read ON open_tenants FOR SELECT USING (true);
	CREATE POLICY "other text" ON open_tenants FOR DELETE USING (id > 0 OR true);
	CREATE TABLE floor (id bigint PRIMARY KEY);
	CREATE POLICY everything ON floor USING (true);
	CREATE POLICY floor ON floor AS RESTRICTIVE USING (id = 1);
	CREATE TABLE open_parted (id bigint PRIMARY KEY) PARTITION BY RANGE (id);
	CREATE TABLE open_parted_part PARTITION OF open_parted FOR VALUES FROM (1) TO (10);
	CREATE POLICY everything ON open_parted_part USING (true);
	CREATE TABLE metadata (id bigint PRIMARY KEY, role text);
	CREATE POLICY setting ON metadata USING (role = current_setting('request.jwt.claims', true)::jsonb -> 'user_metadata' ->> 'role');
	CREATE POLICY jwt ON metadata USING (role = auth.jwt() -> 'user_metadata' ->> 'role');
	CREATE POLICY app ON metadata USING (role = auth.jwt() -> 'app_metadata' ->> 'role');

	-- views and functions
	CREATE VIEW view_definer AS SELECT id FROM parents;
	CREATE VIEW view_invoker WITH (security_invoker = on) AS SELECT id FROM parents;
	CREATE VIEW view_spelling WITH (security_invoker = t) AS SELECT id FROM parents;
	CREATE VIEW view_private AS SELECT id FROM parents;
	CREATE VIEW auth_definer AS SELECT id FROM auth.users;
	CREATE VIEW auth_invoker WITH (security_invoker = true) AS SELECT id FROM auth.users;
	CREATE MATERIALIZED VIEW auth_materialized AS SELECT id FROM auth.users;
	CREATE FUNCTION definer() RETURNS bigint LANGUAGE sql SECURITY DEFINER RETURN 1;
	CREATE FUNCTION definer_safe() RETURNS bigint LANGUAGE sql SECURITY DEFINER SET search_path = '' RETURN 1;
	CREATE FUNCTION definer_unsafe() RETURNS bigint LANGUAGE sql SECURITY DEFINER SET search_path = public RETURN 1;
	CREATE FUNCTION invoker() RETURNS bigint LANGUAGE sql AS 'SELECT 1';
	CREATE FUNCTION invoker_return() RETURNS bigint LANGUAGE sql RETURN 1;
	CREATE FUNCTION invoker_path() RETURNS bigint LANGUAGE sql SET search_path = '' AS 'SELECT 1';
	CREATE FUNCTION auth.uid() RETURNS bigint LANGUAGE sql AS 'SELECT 1';
	CREATE MATERIALIZED VIEW other.materialized AS SELECT id FROM parents;
	GRANT SELECT ON other.materialized TO service_role;

	DO $$
	DECLARE r regclass;
	BEGIN
		FOR r IN SELECT oid FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace::regnamespace::text IN ('public', 'other') AND relname !~ '^rls_|^goose' LOOP
			EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY; CREATE POLICY closed ON %1$s FOR SELECT USING (false)', r);
		END LOOP;
	END $$;
	GRANT SELECT ON ALL TABLES IN SCHEMA public, pgmq TO anon;
	REVOKE SELECT ON rls_private, view_private FROM anon};

# Return the lints of splinter's query, which is the result of its own build.
sub lints_of
{
	my ($sql) = @_;
	my %names = map { $_ => 1 } $sql =~ /^\s*'(\w+)' as name\b/mg;
	return sort keys %names;
}

# Return the SQL that compares a lint with its rules: who names what, and the reasons that are
# true of it.
sub comparison
{
	my ($pair) = @_;
	my $part = $pair->{part} ? 'part' : 'NULL';
	my $rules = join ', ', map { quoted($_) } @{ $pair->{rules} };
	my $reasons = join ', ', map { sprintf '(%s, %s, %s)', quoted($_), quoted($reasons{$_}[0]), $reasons{$_}[1] } @{ $pair->{because} };
	$reasons ||= q{('', '', false)};
	return qq{
		WITH d AS (
			SELECT object, $part AS part, CASE count(DISTINCT who) WHEN 1 THEN min(who) ELSE 'both' END AS who
			FROM found WHERE name = '$pair->{lint}' AND who = 'splinter' OR name IN ($rules) AND who = 'dbkit' GROUP BY 1, 2)
		SELECT '$pair->{lint}', d.who, concat_ws(' ', d.object, d.part), r.reason
		FROM d
			LEFT JOIN pg_class c ON c.oid = to_regclass(d.object)
			LEFT JOIN pg_namespace n ON n.oid = c.relnamespace
			LEFT JOIN pg_constraint k ON k.conrelid = c.oid AND k.conname = d.part
			LEFT JOIN pg_policy p ON p.polrelid = c.oid AND p.polname = d.part
			LEFT JOIN LATERAL (VALUES $reasons) r (reason, who, holds) ON r.who = d.who AND r.holds;\n};
}

sub quoted { return q{'} . $_[0] =~ s/'/''/gr . q{'}; }

# Run both in a database.  Return, for each lint that both judge, what both name, what one names
# without a reason, and the reasons that occur; and how often each lint and rule speaks.
sub compare
{
	my ($node, $database, $splinter) = @_;
	my $query = $splinter =~ s/\A\s*set local search_path = '';//ir =~ s/;\s*\z//r;
	my ($status, $out, $err) = $node->psql($database, join("\n",
		q{\pset null ''}, q{\pset fieldsep '\t'},
		"SET pgrst.db_schemas = 'public, pgmq_public'; SET search_path = '';",
		"CREATE TEMP TABLE splinter AS $query;",
		q{CREATE TEMP TABLE found AS
			SELECT 'splinter' AS who, name, format('%I.%I', metadata ->> 'schema', metadata ->> 'name') AS object,
				coalesce(metadata ->> 'fkey_name', metadata ->> 'policy_name', substring(detail FROM 'security policy \\\\?`(.*?)\\\\?` that')) AS part
			FROM pg_temp.splinter
			UNION ALL
			SELECT 'dbkit', rule, CASE object_type WHEN 'function' THEN regexp_replace(object_identity, '\(.*', '') ELSE object_identity END,
				coalesce(substring(problem FROM '^foreign key "(.*?)" \('), substring(problem FROM '^policy "(.*?)" (?:lets|reads|shows)'))
			FROM dbkit.check();},
		q{SELECT who, name, count(*) FROM pg_temp.found GROUP BY 1, 2 ORDER BY 1, 2;}, '\echo', 'SET search_path = pg_temp;',
		map { comparison($_) } @judged), on_error_stop => 1);
	die "$database: $err" if $status != 0;
	my ($counts, $rows) = split /\n\n/, $out, 2;
	my %found = map { $_->{lint} => { both => [], alone => [], reasons => {} } } @judged;
	my %narrower = map { $_->{lint} => $_->{narrower} } @judged;
	for (split /\n/, $rows)
	{
		my ($lint, $who, $what, $reason) = split /\t/;
		push @{ $found{$lint}{both} }, $what if $who eq 'both';
		$found{$lint}{reasons}{$reason}{$what} = 1 if $reason;
		push @{ $found{$lint}{alone} }, "$who alone names $what" if $who ne 'both' && !$reason && !($who eq 'dbkit' && $narrower{$lint});
	}
	return (\%found, map { s/\t/ /gr } split /\n/, $counts);
}

# Make a database with dbkit and an agreement that every rule is asked under: splinter knows of
# no names and types of keys.
sub make_database
{
	my ($node, $database, $load) = @_;
	$node->safe_psql('postgres', qq{CREATE DATABASE "$database" ENCODING 'UTF8' TEMPLATE template0});
	$load->();
	$node->safe_psql($database, q{
		CREATE SCHEMA extensions_for_dbkit;
		CREATE EXTENSION dbkit SCHEMA extensions_for_dbkit;
		SELECT dbkit.agree('{"preset": "house", "id_style": "any", "composite_keys": true, "rules": {"*": "warning"}}')});
}

# Run a history of migrations, going on after errors; return how many there were.
sub load_history
{
	my ($node, $database, $directory) = @_;
	my $errors = 0;
	my $session = replay::session->new(host => $node->host, port => $node->port, user => scalar getpwuid($<), database => $database);
	for my $file (replay::history::read_history($directory, 'file'))
	{
		for my $transaction (@{ $file->{transactions} })
		{
			$session->query($transaction->{begin}) if $transaction->{begin};
			$errors += grep { $session->query($_->{sql}, $_->{copy})->{error} } @{ $transaction->{statements} };
			$session->query('COMMIT') if $transaction->{begin};
		}
	}
	$session->query('GRANT SELECT ON ALL TABLES IN SCHEMA public TO anon');
	return $errors;
}

# The page has a row for each lint, which links the rules that judge it.
my %rows = $page =~ /^\| `(\w+)` \|[^|\n]*\|([^|\n]*)\|$/mg;
for my $pair (@judged)
{
	for my $rule (@{ $pair->{rules} })
	{
		like($rows{ $pair->{lint} } // '', qr{\[`$rule`\]\(\.\./rules/$rule\.md\)}, "the page: $rule judges $pair->{lint}");
	}
}
for my $lint (@not_judged)
{
	isnt($rows{$lint} // '', '', "the page has $lint");
}

if (!$ENV{DBKIT_SPLINTER})
{
	diag('splinter is left out, as DBKIT_SPLINTER names no clone of it');
	done_testing();
	exit;
}

my $splinter = slurp_file("$ENV{DBKIT_SPLINTER}/splinter.sql");
is_deeply([ sort(@not_judged, map { $_->{lint} } @judged) ], [ lints_of($splinter) ], 'these are the lints of splinter');

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->start;
$node->safe_psql('postgres', $supabase_roles);
make_database($node, 'made', sub { $node->safe_psql('made', $tables) });
my ($found, @counts) = compare($node, 'made', $splinter);
for my $pair (@judged)
{
	my $of = $found->{ $pair->{lint} };
	my $name = join ' and ', $pair->{lint}, @{ $pair->{rules} };
	is_deeply([ sort @{ $of->{both} } ], $pair->{both}, "$name: what both name");
	is_deeply($of->{alone}, [], "$name: each difference has a reason");
	is_deeply([ sort keys %{ $of->{reasons} } ], [ sort @{ $pair->{because} } ], "$name: each reason occurs");
}

for my $directory (split /:/, $ENV{DBKIT_SPLINTER_SCHEMAS} // '')
{
	my $name = basename($directory);
	make_database($node, $name, sub { note("$name: errors " . load_history($node, $name, $directory)) });
	($found, @counts) = compare($node, $name, $splinter);
	note("$name: $_") for @counts;
	for my $lint (sort keys %$found)
	{
		my $of = $found->{$lint};
		note(sprintf '%s: %s: both %d', $name, $lint, scalar @{ $of->{both} }) if @{ $of->{both} };
		note(sprintf '%s: %s: %d %s', $name, $lint, scalar keys %{ $of->{reasons}{$_} }, $_) for sort keys %{ $of->{reasons} };
		is_deeply($of->{alone}, [], "$name: $lint: each difference has a reason");
	}
}

$node->stop;
done_testing();
