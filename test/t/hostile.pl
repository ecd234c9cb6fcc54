# A stranger plants code in every kind of place; then a superuser calls every function
# of dbkit with every sort of argument, and runs every kind of DDL on these objects.
# Functions run nothing of it with other rights than its owner's, DDL runs what it
# runs without dbkit, and no hostile object stops or slows the rest.

use strict;
use warnings;

use FindBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$ENV{PGCLIENTENCODING} = 'UTF8';
$node->init(extra => [ '--encoding=UTF8', '--locale=C' ]);
$node->append_conf('postgresql.conf', "log_line_prefix = '%a|%e|'\nmax_prepared_transactions = 10\nlog_statement = none\nstatement_timeout = '20s'\nlock_timeout = '5s'\nshared_preload_libraries = 'dbkit'\nrestart_after_crash = on");
$node->start;
$node->safe_psql('postgres', 'CREATE ROLE regress_mallory LOGIN; CREATE ROLE regress_other; CREATE ROLE customer');

my $schema = q{"t"".'%s"};
my $read = 0;

my $triggers = join ' ', map { "ALTER EVENT TRIGGER dbkit_$_ DISABLE;" } qw(ddl_command_start ddl_command_end sql_drop table_rewrite);

# Make a database in which the stranger has run the scripts: without being refused, or
# before dbkit's event triggers were there.
sub make_database
{
	my ($db, $before, @scripts) = @_;
	$node->safe_psql('postgres', "CREATE DATABASE $db");
	$node->safe_psql($db, qq{CREATE EXTENSION dbkit; $before
		CREATE SCHEMA t AUTHORIZATION regress_mallory; CREATE SCHEMA $schema AUTHORIZATION regress_mallory; GRANT USAGE ON SCHEMA t TO PUBLIC});
	$node->psql($db, $_, on_error_die => 1, extra_params => [ '-U', 'regress_mallory' ]) for @scripts;
	$node->safe_psql($db, $before =~ s/SET dbkit.enforce = off/RESET dbkit.enforce/r =~ s/DISABLE/ENABLE/gr);
}

# Give what the log says since the last call: for each application name (of a statement)
# who ran what how often, and which internal errors it had.
sub told
{
	my $log = slurp_file($node->logfile, $read);
	my %told;

	$read += length $log;
	$told{$1}{"$2 ran as $3"}++ while $log =~ /^([^|\n]*)\|\w+\|LOG:  planted (.*) ran as (\w+), session/mg;
	$told{$1}{"internal error: $2"}++ while $log =~ /^([^|\n]*)\|XX\w+\|ERROR:  (.*)/mg;
	die "the server crashed\n" if $log =~ /terminated by signal/;
	return \%told;
}

# Run statements, which may fail, each under its number as application name.
sub run_numbered
{
	my ($db, $user, $begin, $end, @statements) = @_;
	my $script = '';
	for my $n (0 .. $#statements)
	{
		$script .= "SET application_name = '$n'; $begin\n$statements[$n];\n$end\n";
	}
	told();
	$node->psql($db, "$script SET application_name = done", on_error_stop => 0, extra_params => [ '-U', $user, '-o', '/dev/null' ]);
	return told();
}

# Quote the cut statement for a message.
sub short
{
	my ($statement) = @_;
	return substr($statement =~ s/\s+/ /gr, 0, 100);
}

# Report complaints, by the place that they name, with one statement for each.
sub none
{
	my ($name, @complaints) = @_;
	my %seen;
	is(scalar @complaints, 0, $name) or do
	{
		for (@complaints)
		{
			my ($what, $statement) = @$_;
			$seen{$what}++ or diag("$what, in: ", short($statement));
		}
	};
}

sub rows
{
	my ($db, $sql) = @_;
	return split /\n/, $node->safe_psql($db, $sql);
}

make_database('planted', 'ALTER DATABASE planted SET dbkit.enforce = off;', slurp_file("$FindBin::Bin/hostile.psql"), slurp_file("$FindBin::Bin/hostile_names.psql"));
my $superuser = $node->safe_psql('planted', 'SELECT current_user');
$node->safe_psql('planted', q{
	CREATE SCHEMA team;
	CREATE FUNCTION team.judge(object oid) RETURNS TABLE (column_name text, problem text, fix text) LANGUAGE sql STABLE AS
		$$ SELECT attname, format('%s of %s', attname, attrelid::regclass), NULL FROM pg_attribute WHERE attrelid = object AND attnum > 0 $$;
	SET ROLE regress_mallory;
	CREATE FUNCTION t.judge(object oid) RETURNS TABLE (column_name text, problem text, fix text) LANGUAGE sql STABLE AS
		$$ SELECT t.evil('judge', 'x'::text), 'x', 'x' $$});
is($node->safe_psql('planted', 'SELECT count(*) FROM pg_event_trigger'), '4', 'the event triggers are those that can be disabled');

# Functions -----------------------------------------------------------------

# The calls of each function; :rel, :type, :schema and :column stand for all there are
my $lock = q{'t'};
my %calls = (
	'generate_id(text)' => [ q{SELECT public.generate_id('x')} ],
	'updated_at()' => [ 'SELECT public.updated_at()' ],
	'dbkit.generate_id_at(text,timestamp with time zone)' => [ q{SELECT dbkit.generate_id_at('x', pg_catalog.now())} ],
	'dbkit.is_id(text,text)' => [ q{SELECT dbkit.is_id('x', 'x')} ],
	'dbkit.id_prefix(text)' => [ q{SELECT dbkit.id_prefix(public.generate_id('x'))} ],
	'dbkit.id_uuid(text)' => [ q{SELECT dbkit.id_uuid(public.generate_id('x'))} ],
	'dbkit.id_from_uuid(text,uuid)' => [ q{SELECT dbkit.id_from_uuid('x', pg_catalog.gen_random_uuid())} ],
	'dbkit.id_timestamp(text)' => [ q{SELECT dbkit.id_timestamp(public.generate_id('x'))} ],
	'dbkit.id_lower_bound(text,timestamp with time zone)' => [ q{SELECT dbkit.id_lower_bound('x', pg_catalog.now())} ],
	'dbkit.id_upper_bound(text,timestamp with time zone)' => [ q{SELECT dbkit.id_upper_bound('x', pg_catalog.now())} ],
	'dbkit.rules()' => [ 'SELECT * FROM dbkit.rules()', 'SELECT * FROM dbkit.rules' ],
	'dbkit."check"()' => [ 'SELECT * FROM dbkit.check()', q{SET dbkit.rule_levels = 'column_comment=warning, forgeable_policy=warning, duplicate_index=warning'; SELECT * FROM dbkit.check()},
		q{BEGIN; SELECT dbkit.agree('{"id_style": "uuid"}'); SELECT * FROM dbkit.check(); ROLLBACK} ],
	'dbkit.agree(jsonb)' => [ q{SELECT dbkit.agree('{"rules": {"bigint": "off"}}')} ],
	'dbkit.agreement()' => [ 'SELECT dbkit.agreement()' ],
	'dbkit.add_rule(text,regprocedure,text[],text,text)' => [ q{SELECT dbkit.add_rule('own', 't.judge(oid)', '{table,view,function}', 'x')},
		q{SELECT dbkit.add_rule('own', 'team.judge(oid)', '{table,"enum table",view,"enum type",function}', 'x'); SELECT * FROM dbkit.check()},
		q{SELECT dbkit.add_rule('own', 'team.judge(oid)', '{table}', 'x'); ALTER FUNCTION team.judge OWNER TO regress_mallory; SELECT * FROM dbkit.check()} ],
	'dbkit.drop_rule(text)' => [ q{SELECT dbkit.drop_rule('own')} ],
	'dbkit.suggest()' => [ 'SELECT dbkit.suggest()' ],
	'dbkit.suggestion()' => [ 'SELECT * FROM dbkit.suggestion()', 'SELECT * FROM dbkit.suggestion' ],
	'dbkit.status()' => [ 'SELECT * FROM dbkit.status()' ],
	'dbkit.suggest()' => [ 'SELECT dbkit.suggest()' ],
	'dbkit.suggestion()' => [ 'SELECT * FROM dbkit.suggestion()', 'SELECT * FROM dbkit.suggestion' ],
	'dbkit.exemption()' => [ 'SELECT * FROM dbkit.exemption()', 'SELECT * FROM dbkit.exemption' ],
	'dbkit."check"(regclass)' => [ 'SELECT * FROM dbkit.check(:rel)' ],
	'dbkit.check_schema(regnamespace)' => [ 'SELECT * FROM dbkit.check_schema(:schema)' ],
	'dbkit.fixes(text,regclass)' => [ 'SELECT dbkit.fixes()', q{SELECT dbkit.fixes('breaks')}, q{SELECT dbkit.fixes('breaks', :rel)} ],
	'dbkit.run_as(name,text)' => [ q{SELECT dbkit.run_as('regress_mallory', 'SELECT FROM t.columns')}, q{SELECT dbkit.run_as('regress_other', 'SELECT 1')} ],
	'dbkit.explain_rule(text)' => [ q{SELECT dbkit.explain_rule('bigint')}, q{SELECT dbkit.explain_rule('x')} ],
	'dbkit.create_table(text,text,text,text)' => [ q{SELECT dbkit.create_table('made_here', 'n int')}, q{SELECT dbkit.create_table('made_there', 'n int, organization_id text')} ],
	'dbkit.create_table_sql(text,text,text,text)' => [ q{SELECT dbkit.create_table_sql('made_here', 'n int')} ],
	'dbkit.verify()' => [ 'SELECT dbkit.verify()' ],
	'dbkit.report(text,regnamespace)' => [ map { ("SELECT dbkit.report('$_', :schema)", "SELECT dbkit.report('$_')") } qw(text json junit github markdown sarif) ],
	'dbkit.ignore_replicated()' => [ 'SELECT dbkit.ignore_replicated()', 'DELETE FROM dbkit.id_prefix' ],
	'dbkit.apply(bigint,text,text,text)' => [ q{SELECT dbkit.apply(1, 'CREATE TABLE made_by_apply ()', undo => 'DROP TABLE made_by_apply')} ],
	'dbkit.revert(bigint)' => [ q{SELECT dbkit.apply(1, 'SELECT 1', undo => 'SELECT 2'), dbkit.revert(1)} ],
	'dbkit.fingerprint()' => [ 'SELECT dbkit.fingerprint()' ],
	'dbkit.health()' => [ 'SELECT * FROM dbkit.health()', 'SELECT * FROM dbkit.health' ],
	'dbkit.schema_sql(jsonb)' => [ q{SELECT dbkit.schema_sql('{"tables": [{"name": "made_here", "columns": [{"name": "n", "type": "int"}, {"name": "organization_id", "type": "text"}]}]}')} ],
	'dbkit.keep_ledger()' => [ 'SELECT dbkit.keep_ledger()', 'DELETE FROM dbkit.schema_version' ],
	'dbkit.register_prefix(regclass)' => [ 'SELECT dbkit.register_prefix(:rel)' ],
	'dbkit.table_of(text)' => [ q{SELECT dbkit.table_of(public.generate_id('x'))} ],
	'dbkit.exempt(text,text,text,timestamp with time zone)' => [ q{SELECT dbkit.exempt('t.%', '*', 'a reason', NULL)}, q{SELECT dbkit.exempt(pg_catalog.repeat('%_', 1000), 'bigint', 'a reason', '2100-01-01')} ],
	'dbkit.unexempt(text,text)' => [ q{SELECT dbkit.unexempt('t.%', '*')} ],
	'dbkit.baseline(regclass)' => [ 'SELECT dbkit.baseline()', 'SELECT dbkit.baseline(:rel)' ],
	'dbkit.unbaseline(regclass)' => [ 'SELECT dbkit.unbaseline()', 'SELECT dbkit.unbaseline(:rel)' ],
	'dbkit.stale_exemptions()' => [ 'SELECT * FROM dbkit.stale_exemptions()', 'SELECT * FROM dbkit.stale_exemptions' ],
	'dbkit.ddl_command_start()' => [ 'SELECT dbkit.ddl_command_start()' ],
	'dbkit.ddl_command_end()' => [ 'SELECT dbkit.ddl_command_end()' ],
	'dbkit.sql_drop()' => [ 'SELECT dbkit.sql_drop()' ],
	'dbkit.table_rewrite()' => [ 'SELECT dbkit.table_rewrite()' ],
	'dbkit.enter(text,text)' => [ q{SELECT dbkit.enter('u', 'o')} ],
	'dbkit.enter(text,text,text)' => [ q{SELECT dbkit.enter('u', 'o', 's')} ],
	'dbkit.nonce()' => [ 'SELECT dbkit.nonce()' ],
	'dbkit.user_id()' => [ 'SELECT dbkit.user_id()' ],
	'dbkit.organization_id()' => [ 'SELECT dbkit.organization_id()' ],
	'dbkit.protect(regclass,name,name,name,text)' => [ 'SELECT dbkit.protect(:rel)', q{SELECT dbkit.protect(:column, '')}, q{SELECT dbkit.protect(:column, '', 'public')},
		map { "SELECT dbkit.protect(:rel, role => 'public', access => '$_')" } qw(member read) ],
	'dbkit.protect_sql(regclass,name,name,name,text)' => [ 'SELECT dbkit.protect_sql(:rel)', q{SELECT dbkit.protect_sql(:column, '')},
		map { "SELECT dbkit.protect_sql(:rel, role => 'public', access => '$_')" } qw(tenant member read) ],
	'dbkit.unprotect(regclass,name)' => [ 'SELECT dbkit.unprotect(:rel)', q{SELECT dbkit.protect(:rel, role => 'public', access => 'read'), dbkit.unprotect(:rel, 'public')} ],
	'dbkit.confine_sql(name)' => [ q{SELECT dbkit.confine_sql('regress_mallory')}, q{SELECT dbkit.confine_sql(NULL)} ],
	'dbkit.create_enum(text,text[])' => [ q{SELECT dbkit.create_enum('t.fresh', '{a,b}')}, q{SELECT dbkit.create_enum('fresh', '{a,b}')} ],
	'dbkit.enum_values(regclass)' => [ 'SELECT dbkit.enum_values(:rel)' ],
	'dbkit.add_enum_value(regclass,text)' => [ q{SELECT dbkit.add_enum_value(:rel, 'd')} ],
	'dbkit.rename_enum_value(regclass,text,text)' => [ q{SELECT dbkit.rename_enum_value(:rel, 'a', 'd')}, q{DROP TABLE t.uses, t.uses_ruled CASCADE; SELECT dbkit.rename_enum_value(:rel, 'a', 'd')} ],
	'dbkit.drop_enum_value(regclass,text,text)' => [ q{SELECT dbkit.drop_enum_value(:rel, 'a', 'b')}, q{SELECT dbkit.drop_enum_value(:rel, 'a')}, q{SELECT dbkit.drop_enum_value(:rel, 'c')},
		q{DROP TABLE t.uses_ruled; SELECT dbkit.drop_enum_value(:rel, 'a', 'b')} ],
	'dbkit.enum_usage(regclass)' => [ 'SELECT * FROM dbkit.enum_usage(:rel)' ],
	'dbkit.enum_from_type(regtype)' => [ 'SELECT dbkit.enum_from_type(:type)' ],
	'dbkit.annotate(jsonb)' => [ q{SELECT dbkit.annotate(dbkit.annotations())},
		q{BEGIN; SELECT dbkit.annotate(pg_catalog.jsonb_build_object((:rel)::pg_catalog.text, '{"": "told"}'::pg_catalog.jsonb)); ROLLBACK} ],
	'dbkit.annotations(regnamespace)' => [ 'SELECT dbkit.annotations()', 'SELECT dbkit.annotations(:schema)' ],
	'dbkit.annotations_yaml(regnamespace)' => [ 'SELECT dbkit.annotations_yaml()', 'SELECT dbkit.annotations_yaml(:schema)' ],
	'dbkit.describe(text,regnamespace)' => [ map { ("SELECT dbkit.describe('$_', :schema)", "SELECT dbkit.describe('$_')") } qw(markdown mermaid) ],
	'dbkit.to_typed_json(anyelement)' => [ 'SELECT dbkit.to_typed_json(:rel)' ],
	'dbkit.from_typed_json(anyelement,jsonb)' => [ q{SELECT dbkit.from_typed_json(NULL::date, '{"__sentinel": "date", "value": "2024-01-10"}')} ],
	'dbkit.json_timestamp(jsonb)' => [ q{SELECT dbkit.json_timestamp('"2024-01-10T12:00:00Z"')} ],
	'dbkit.json_date(jsonb)' => [ q{SELECT dbkit.json_date('"2024-01-10"')} ],
	'dbkit.is_typed_json(jsonb)' => [ q{SELECT dbkit.is_typed_json('{"__sentinel": 1}')} ],
	'dbkit.lock_key(text)' => [ "SELECT dbkit.lock_key($lock)" ],
	'dbkit.lock(text,interval)' => [ "SELECT dbkit.lock($lock, '1 ms'); SELECT * FROM dbkit.locks" ],
	'dbkit.lock_shared(text,interval)' => [ "SELECT dbkit.lock_shared($lock, '1 ms')" ],
	'dbkit.try_lock(text)' => [ "SELECT dbkit.try_lock($lock)" ],
	'dbkit.try_lock_shared(text)' => [ "SELECT dbkit.try_lock_shared($lock)" ],
	'dbkit.session_lock(text,interval)' => [ "ROLLBACK; CALL dbkit.session_lock($lock, '1 ms')" ],
	'dbkit.session_lock_shared(text,interval)' => [ "ROLLBACK; CALL dbkit.session_lock_shared($lock, '1 ms')" ],
	'dbkit.try_session_lock(text)' => [ "SELECT dbkit.try_session_lock($lock)" ],
	'dbkit.try_session_lock_shared(text)' => [ "SELECT dbkit.try_session_lock_shared($lock)" ],
	'dbkit.session_unlock(text)' => [ ("SELECT dbkit.session_unlock($lock)") x 3 ],
	'dbkit.session_unlock_shared(text)' => [ ("SELECT dbkit.session_unlock_shared($lock)") x 3 ],
	'dbkit.lock_status()' => [ 'SELECT * FROM dbkit.lock_status()', 'SELECT * FROM dbkit.locks' ]);

my @members = rows('planted', q{SELECT objid::regprocedure FROM pg_depend WHERE refobjid = (SELECT oid FROM pg_extension WHERE extname = 'dbkit')
	AND classid = 'pg_proc'::regclass AND deptype = 'e' ORDER BY 1});
is_deeply([ sort @members ], [ sort keys %calls ], 'the functions that are called are those of the extension');

my $planted = q{(SELECT oid FROM pg_namespace WHERE nspname ~ '^t($|")')};
my %arguments = (
	rel => [ rows('planted', "SELECT format('%L::pg_catalog.regclass', oid) FROM pg_class WHERE relnamespace IN $planted AND relkind <> 'c' ORDER BY oid"), q{'0'::pg_catalog.regclass} ],
	type => [ rows('planted', "SELECT format('%L::pg_catalog.regtype', oid) FROM pg_type WHERE typnamespace IN $planted AND typtype <> 'c' AND typcategory <> 'A' ORDER BY oid"), q{'0'::pg_catalog.regtype} ],
	schema => [ rows('planted', "SELECT format('%L::pg_catalog.regnamespace', oid) FROM pg_namespace"), q{'0'::pg_catalog.regnamespace} ],
	column => [ rows('planted', "SELECT replace(format('%L::pg_catalog.regclass, %L', attrelid, attname), E'\\n', E'\\\\n') FROM pg_attribute WHERE attnum > 0 AND NOT attisdropped
		AND attrelid IN (SELECT oid FROM pg_class WHERE relnamespace = 't'::regnamespace AND relkind IN ('r', 'p'))") ]);

# Give the statements that a call stands for.
sub expand
{
	my ($call) = @_;
	return $call =~ /:(rel|type|schema|column|sample)\b/ ? map { $call =~ s/:$1\b/$_/r } @{ $arguments{$1} } : $call;
}

my @statements = map { map { expand($_) } @{ $calls{$_} } } sort keys %calls;
for my $path ('DEFAULT', 't, public, pg_catalog')
{
	my @complaints;
	my $told = run_numbered('planted', $superuser, "BEGIN; SET LOCAL dbkit.enforce = off; SET LOCAL search_path = $path;", "PREPARE TRANSACTION 'p';\nROLLBACK PREPARED 'p';\nROLLBACK;", @statements);
	for my $n (keys %$told)
	{
		push @complaints, map { [ $_, $n =~ /^\d+$/ ? $statements[$n] : $n ] } grep { !/ ran as regress_mallory$/ } keys %{ $told->{$n} };
	}
	none("with search_path = $path, functions run code only as its owner", @complaints);
}

# In a session of the stranger's, with temporary objects before all others, nothing runs as somebody else
my @own = ((grep { !/protect|enum/ } @statements), q{SELECT dbkit.run_as('regress_other', 'SELECT t.evil(''script'', 1)')});
my %columns = (pg_attribute => 'c.attrelid, c.attnum, c.attname, c.atttypid, c.attisdropped');
my $temporary = join ' ', map { "CREATE TEMP VIEW $_ AS SELECT t.evil('temporary $_', 1) AS planted, " . ($columns{$_} // 'c.*') . " FROM pg_catalog.$_ c;" } qw(pg_class pg_proc pg_attribute pg_constraint pg_namespace);
my @complaints;
my $told = run_numbered('planted', 'regress_mallory', "BEGIN; $temporary SET LOCAL search_path = pg_temp, t, pg_catalog, public;", 'ROLLBACK;', @own);
for my $n (keys %$told)
{
	push @complaints, map { [ $_, $n =~ /^\d+$/ ? $own[$n] : $n ] } grep { !/ ran as regress_mallory$/ } keys %{ $told->{$n} };
}
none('what the stranger calls has no rights but his', @complaints);

# Rows for tests are INSERTs of the caller's, in which the tables' owners' triggers run: a superuser
# makes none of a stranger's tables.
my %test_calls = (
	'dbkit.make(anyelement,jsonb)' => [ 'SELECT dbkit.make(:sample)', q{SELECT dbkit.make(:sample, '{"id": "x"}')} ],
	'dbkit.make_many(anyelement,bigint,jsonb)' => [ 'SELECT count(*) FROM dbkit.make_many(:sample, 2)' ],
	'dbkit.leak_test(name)' => [ 'SELECT dbkit.leak_test()', q{SELECT dbkit.leak_test('regress_mallory')} ]);
$node->safe_psql('planted', 'CREATE EXTENSION dbkit_test');
@members = rows('planted', q{SELECT objid::regprocedure FROM pg_depend WHERE refobjid = (SELECT oid FROM pg_extension WHERE extname = 'dbkit_test')
	AND classid = 'pg_proc'::regclass AND deptype = 'e' ORDER BY 1});
is_deeply([ sort @members ], [ sort keys %test_calls ], 'and so are those of dbkit_test');
$arguments{sample} = [ rows('planted', "SELECT replace(format('NULL::%s', oid::regclass), E'\\n', E'\\\\n') FROM pg_class WHERE relnamespace IN $planted AND relkind IN ('r', 'p') ORDER BY oid") ];
@own = map { map { expand($_) } @{ $test_calls{$_} } } sort keys %test_calls;
@complaints = ();
$told = run_numbered('planted', 'regress_mallory', "BEGIN; $temporary SET LOCAL search_path = pg_temp, t, pg_catalog, public;", 'ROLLBACK;', @own);
for my $n (keys %$told)
{
	push @complaints, map { [ $_, $n =~ /^\d+$/ ? $own[$n] : $n ] } grep { !/ ran as regress_mallory$/ } keys %{ $told->{$n} };
}
cmp_ok(scalar(grep { / ran as regress_mallory$/ } map { keys %$_ } values %$told), '>', 1, 'rows that the stranger makes run his triggers');
none('and nothing with other rights', @complaints);
$node->safe_psql('planted', 'DROP EXTENSION dbkit_test');

# The log of changes: a superuser and the stranger audit what the stranger planted, change it and look at it
my %audit_calls = (
	'dbkit.audit(regclass,name[])' => [ 'SELECT dbkit.audit(:rel)', "SELECT dbkit.audit(:rel, '{note}')" ],
	'dbkit.unaudit(regclass)' => ['SELECT dbkit.audit(:rel), dbkit.unaudit(:rel)'],
	'dbkit.as_of(anyelement,text,timestamp with time zone)' => [ "SELECT dbkit.as_of(:sample, '1', now())", "SELECT dbkit.as_of(:sample, '1', '2001-01-01')" ],
	'dbkit.audit_history(regclass,text)' => [q{SELECT * FROM dbkit.audit_history(:rel, '1')}],
	'dbkit.audit_seal(text)' => ['CALL dbkit.audit_seal()'],
	'dbkit.audit_check(text)' => ['SELECT * FROM dbkit.audit_check()'],
	'dbkit.audit_trim(timestamp with time zone)' => ['SELECT dbkit.audit_trim(now())'],
	'dbkit.audit_erase(text,text)' => [q{SELECT dbkit.audit_erase('1', 'asked to')}],
	'dbkit.audit_months()' => ['SELECT dbkit.audit_months()'],
	'dbkit.audit_note(text,text,jsonb)' => [q{SELECT dbkit.audit_note('TRIM', NULL, '{}')}],
	'dbkit.audit_values_hash(bigint,jsonb,jsonb)' => ['SELECT dbkit.audit_values_hash(1, NULL, NULL)'],
	'dbkit.audit_entry_hash(dbkit.audit_log,bytea)' => [q{SELECT dbkit.audit_entry_hash(l, '') FROM dbkit.audit_log l}],
	'dbkit.audit_seal_hash(bigint,bigint,pg_snapshot,bigint)' => [q{SELECT dbkit.audit_seal_hash(1, 1, '1:1:', 1)}],
	map { ("dbkit.$_()" => ["SELECT dbkit.$_()"]) } qw(audit_statement audit_row audit_masked audit_follow audit_keep record_ddl));
$node->safe_psql('planted', 'CREATE EXTENSION dbkit_audit');
@members = rows('planted', q{SELECT objid::regprocedure FROM pg_depend WHERE refobjid = (SELECT oid FROM pg_extension WHERE extname = 'dbkit_audit')
	AND classid = 'pg_proc'::regclass AND deptype = 'e' ORDER BY 1});
is_deeply([ sort @members ], [ sort keys %audit_calls ], 'and those of dbkit_audit');
$told = run_numbered('planted', $superuser, '', '', map { expand($_) } 'SELECT dbkit.audit(:rel)');
none('auditing runs nothing with other rights', map { my $n = $_; map { [ $_, $n ] } grep { !/ ran as regress_mallory$/ } keys %{ $told->{$n} } } keys %$told);
cmp_ok($node->safe_psql('planted', "SELECT count(*) FROM dbkit.audit_log WHERE operation = 'AUDIT'"), '>', 3, 'some of what is planted can be audited');
for my $user ($superuser, 'regress_mallory')
{
	@own = map { map { expand($_) } @{ $audit_calls{$_} } } sort keys %audit_calls;
	@complaints = ();
	$told = run_numbered('planted', $user, "BEGIN; SET LOCAL dbkit.enforce = off; SET LOCAL search_path = t, public, pg_catalog;", 'ROLLBACK;', @own);
	for my $n (keys %$told)
	{
		push @complaints, map { [ $_, $n =~ /^\d+$/ ? $own[$n] : $n ] } grep { !/ ran as regress_mallory$/ } keys %{ $told->{$n} };
	}
	none("the log of changes runs nothing with other rights, called by $user", @complaints);
}
$node->safe_psql('planted', 'TRUNCATE dbkit.audit_log; DROP EXTENSION dbkit_audit CASCADE');

# From here on DDL is recorded.
$node->safe_psql('planted', 'CREATE EXTENSION dbkit_audit; ALTER DATABASE planted SET dbkit.record_ddl = on');

# DDL -----------------------------------------------------------------------

my @ddl = (
	(map { my $kind = $_->[0]; my $name = $_->[1]; map { s/%/$name/gr } @{ {
		r => [ 'ALTER TABLE % ADD COLUMN extra bigint', 'ALTER TABLE % ADD COLUMN extra int DEFAULT 1', 'ALTER TABLE % ADD COLUMN extra timestamptz DEFAULT clock_timestamp()', 'ALTER TABLE % RENAME TO renamed',
			'ALTER TABLE % OWNER TO regress_other', 'ALTER TABLE % ENABLE ROW LEVEL SECURITY', 'COMMENT ON TABLE % IS NULL', 'DROP TABLE % CASCADE', 'ALTER TABLE % SET SCHEMA public',
			'ALTER TABLE % ADD CHECK (true) NOT VALID', 'ALTER TABLE % DISABLE TRIGGER ALL', 'CREATE POLICY fresh ON % USING (true)', 'CREATE VIEW t.fresh AS SELECT * FROM %',
			'CREATE TABLE t.fresh (LIKE % INCLUDING ALL)', 'CREATE TABLE t.fresh () INHERITS (%)', 'CREATE TABLE t.fresh AS SELECT * FROM % LIMIT 0', 'ALTER TABLE % SET UNLOGGED', 'TRUNCATE % CASCADE',
			'CREATE TRIGGER fresh BEFORE UPDATE ON % FOR EACH ROW EXECUTE FUNCTION updated_at()', 'GRANT SELECT ON % TO PUBLIC', 'REINDEX TABLE %', 'DROP OWNED BY regress_other; ALTER TABLE % ADD PRIMARY KEY (id)',
			'ALTER TABLE % ADD COLUMN status text REFERENCES t.status_enum', 'ALTER TABLE % ALTER id SET DEFAULT public.generate_id($$xyz$$)', 'ALTER TABLE % ALTER id TYPE varchar', 'CREATE INDEX ON % (id)', 'ALTER TABLE % DROP COLUMN id CASCADE' ],
		v => [ 'ALTER VIEW % SET (security_invoker = true)', 'ALTER VIEW % RENAME TO renamed', 'DROP VIEW % CASCADE', 'ALTER VIEW % OWNER TO regress_other' ],
		m => [ 'REFRESH MATERIALIZED VIEW %', 'DROP MATERIALIZED VIEW %' ],
		i => [ 'ALTER INDEX % RENAME TO renamed', 'DROP INDEX % CASCADE', 'REINDEX INDEX %' ],
		S => [ 'ALTER SEQUENCE % AS bigint' ],
		d => [ 'ALTER DOMAIN % SET DEFAULT NULL', 'ALTER DOMAIN % SET NOT NULL', 'ALTER DOMAIN % ADD CHECK (VALUE IS NOT NULL)', 'ALTER DOMAIN % ADD CHECK (VALUE IS NOT NULL) NOT VALID', 'ALTER DOMAIN % RENAME TO renamed', 'DROP DOMAIN % CASCADE', 'ALTER DOMAIN % OWNER TO regress_other' ],
		e => [ 'ALTER TYPE % RENAME TO renamed', 'ALTER TYPE % OWNER TO regress_other', 'DROP TYPE % CASCADE', q{ALTER TYPE % ADD VALUE 'fresh'} ],
		c => [ 'ALTER TYPE % ADD ATTRIBUTE fresh int CASCADE', 'ALTER TYPE % RENAME TO renamed', 'ALTER TYPE % SET SCHEMA public', 'DROP TYPE % CASCADE' ],
		R => [ 'ALTER TYPE % RENAME TO renamed', 'DROP TYPE % CASCADE' ],
		f => [ 'ALTER ROUTINE % OWNER TO regress_other', 'ALTER ROUTINE % SECURITY DEFINER', 'DROP ROUTINE % CASCADE', 'ALTER ROUTINE % SET search_path = t' ] }->{$kind} || [] } }
	  map { [ split / /, $_, 2 ] } rows('planted', q{
		SELECT translate(relkind, 'pI', 'ri') || ' ' || oid::regclass FROM pg_class WHERE relnamespace = 't'::regnamespace AND relkind <> 'c'
		UNION ALL SELECT CASE typtype WHEN 'r' THEN 'R' ELSE typtype::text END || ' ' || oid::regtype FROM pg_type t WHERE typnamespace = 't'::regnamespace AND typtype IN ('d', 'e', 'c', 'r')
			AND NOT EXISTS (SELECT FROM pg_class c WHERE c.oid = t.typrelid AND c.relkind <> 'c')
		UNION ALL SELECT 'f ' || oid::regprocedure FROM pg_proc WHERE pronamespace = 't'::regnamespace AND proname IN ('evil', 'updated_at', 'definer', 'bomb_to_text', 'diff')})),
	'DROP SCHEMA t CASCADE', 'ALTER SCHEMA t RENAME TO renamed', "DROP SCHEMA $schema CASCADE", 'DROP OWNED BY regress_mallory CASCADE', 'REASSIGN OWNED BY regress_mallory TO regress_other',
	'ALTER TABLE t.plain_key ATTACH PARTITION t.loose FOR VALUES FROM (100) TO (200)', 'ALTER TABLE t.plain_key DETACH PARTITION t.part_1', 'ALTER TABLE t.range_key ATTACH PARTITION t.loose FOR VALUES FROM (100) TO (200)',
	'CREATE TABLE t.fresh PARTITION OF t.plain_key FOR VALUES FROM (20) TO (30)', 'CREATE TABLE t.fresh PARTITION OF t.range_key FOR VALUES FROM (20) TO (30)', 'CREATE TABLE t.fresh PARTITION OF t.part_2 FOR VALUES IN (12)',
	'ALTER TABLE t.child NO INHERIT t.columns', 'CREATE STATISTICS t.fresh ON n, g FROM t.columns', 'DROP CAST (t.bomb AS text) CASCADE', 'DROP POLICY bomb ON t.columns', 'ALTER POLICY bomb ON t.columns USING (true)',
	'DROP TRIGGER updated_at ON t.columns', 'DROP RULE evil ON t.columns', q{CREATE TABLE t.fresh (id text DEFAULT public.generate_id('v' || '(x)'::t.bomb), CHECK (id LIKE quote_literal('(x)'::t.bomb)))},
	q{CREATE TABLE t.fresh (n int) PARTITION BY RANGE ((n + t.evil('fresh key', 1)))}, 'CREATE TYPE t.fresh AS ENUM (); ALTER TABLE t.columns ADD COLUMN fresh t.fresh', 'DROP EXTENSION dbkit CASCADE');

# What is set for each turn; a fix runs as the table's owner, and so does the code on that table,
# which is the superuser's own where he has made it of a stranger's.  What it changes PostgreSQL
# reads again, and folds the partition key with whose rights the next statement runs.
my %turns = (
	'without dbkit' => "$triggers SET LOCAL dbkit.record_ddl = off;",
	'enforcing' => 'SET LOCAL dbkit.enforce = on;',
	'with a rule of the team' => q{SELECT dbkit.add_rule('own', 'team.judge(oid)', '{table,view,function}', 'x', 'statement'); SET LOCAL dbkit.rule_levels = '*=off, own=warning';},
	'not enforcing' => 'SET LOCAL dbkit.enforce = off;',
	'at level warning' => q{SET LOCAL dbkit.rule_levels = '*=warning';},
	'at level fix' => q{SET LOCAL dbkit.rule_levels = '*=warning, *=fix';});

my %ran = map { $_ => run_numbered('planted', $superuser, "BEGIN; $turns{$_} SET LOCAL dbkit.large_table_size = 0;", "SET CONSTRAINTS ALL IMMEDIATE;\nPREPARE TRANSACTION 'p';\nROLLBACK PREPARED 'p';\nROLLBACK;", @ddl) } keys %turns;
my %usual;
for my $told (values %{ $ran{'without dbkit'} })
{
	$usual{$_} += $told->{$_} for keys %$told;
}
cmp_ok(scalar(grep { / ran as $superuser$/ } keys %usual), '>', 1, 'without dbkit, DDL runs what PostgreSQL has to run');
for my $turn (grep { $_ ne 'without dbkit' } sort keys %turns)
{
	my @complaints;
	for my $n (0 .. $#ddl)
	{
		my ($with, $without) = map { $ran{$_}{$n} || {} } $turn, 'without dbkit';
		push @complaints, map { [ "$_ (" . ($without->{$_} // 0) . " -> $with->{$_})", $ddl[$n] ] }
		  grep { $with->{$_} > ($without->{$_} // 0) && !($turn eq 'at level fix' && (/ ran as regress_/ || $ddl[$n] =~ /^CREATE TABLE t\.fresh|_key\b/)) } sort keys %$with;
	}
	none("$turn, DDL runs nothing more than without dbkit", @complaints);
}

is($node->safe_psql('planted', 'BEGIN; CREATE SCHEMA recorded; SELECT count(*) FROM dbkit.ddl_log WHERE object_identity = $$recorded$$; ROLLBACK'), '1', 'DDL was recorded');
$node->safe_psql('planted', 'SET dbkit.record_ddl = off; ALTER DATABASE planted RESET dbkit.record_ddl; TRUNCATE dbkit.ddl_log; DROP EXTENSION dbkit_audit CASCADE');

# Names ---------------------------------------------------------------------

my $names = $node->safe_psql('planted', q{SELECT count(*), count(DISTINCT object_identity) FROM dbkit.check_schema('"t"".''%s"')});
like($names, qr/^\d{3,}\|\d{3}$/, 'objects with hostile names are judged');
told();
my ($status, $stdout, $stderr) = $node->psql('planted', qq{SET dbkit.enforce = off;
	SELECT 'BEGIN; ' || fix || E'\\nROLLBACK' FROM dbkit.check() WHERE object_identity LIKE '"t"".''%' AND fix IS NOT NULL \\gexec}, on_error_stop => 0);
is(join("\n", grep { /syntax|does not exist/ } split /\n/, $stderr), '', 'and their fixes are SQL');
is(join("\n", grep { /name/ } map { keys %$_ } values %{ told() }), '', 'in which no name is code');

# What must neither stop nor slow the rest --------------------------------------

make_database('bounded', $triggers, q{
	CREATE TABLE t.first (id text, n int);
	CREATE TABLE t.fails (id text DEFAULT public.generate_id((1/0)::text) CHECK (id LIKE (1/0)::text), n int);
	CREATE TABLE t.huge (id text DEFAULT public.generate_id(repeat('x', 1000000000)) CHECK (id LIKE repeat('x', 1000000000)), CHECK (id LIKE repeat(repeat('x', 100000000), 9)), n int);
	CREATE FUNCTION t.fails_for_others() RETURNS int LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN 1 / (current_user = $$regress_mallory$$)::int; END';
	CREATE TABLE t.key_fails (id text, n int) PARTITION BY RANGE ((n + t.fails_for_others()));
	CREATE TABLE t.policy (id text, n int);
	CREATE POLICY fails ON t.policy USING (current_setting((1/0)::text) = id);
	CREATE POLICY huge ON t.policy USING (current_setting(repeat('x', 1000000000)) = id);
	DO $$BEGIN
		EXECUTE format('CREATE POLICY long ON t.policy USING (current_setting(%L) = id)', repeat('x', 1000000));
		EXECUTE 'CREATE POLICY wide ON t.policy USING (n IN (' || (SELECT string_agg(format('length(current_setting(''a%s''))', i), ', ') FROM generate_series(1, 20000) i) || '))';
		EXECUTE 'CREATE TABLE t.deep (id text CHECK (id LIKE ' || repeat('(''a'' || ', 2000) || '''_%''' || repeat(')', 2000) || '), n int)';
		EXECUTE 'CREATE TABLE t.long (id text CHECK (id LIKE ''' || repeat('x', 10000000) || '_%''), n int)';
	END$$;
	CREATE TABLE t.last (id text, n int);
});
for my $call ('SELECT count(DISTINCT object_identity) FROM dbkit.check()', 'SELECT dbkit.baseline() > 20', q{BEGIN; SELECT dbkit.exempt('t.deep', '*', 'a reason'); SELECT count(*) > 0 FROM dbkit.stale_exemptions; ROLLBACK},
	q{SELECT count(DISTINCT object_identity) FROM dbkit.check_schema('t')}, q{CREATE TABLE t.next (id text DEFAULT public.generate_id((1/0)::text) CHECK (id LIKE repeat('x', 1000000000)))},
	'ALTER TABLE t.first ADD COLUMN created_at timestamptz', 'DROP EXTENSION dbkit CASCADE', 'CREATE EXTENSION dbkit')
{
	my ($status, $stdout, $stderr) = $node->psql('bounded', "SET dbkit.enforce = off; SET client_min_messages = error; SET dbkit.rule_levels = 'forgeable_policy=warning, column_comment=warning'; $call");
	is($stderr =~ s/^psql:<stdin>:\d+: //mgr, '', "neither stopped nor slow: " . short($call));
}

done_testing();
