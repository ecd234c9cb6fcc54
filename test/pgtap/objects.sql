-- Every object of the extensions is documented and declared as designed.
BEGIN;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS dbkit_test;
CREATE EXTENSION IF NOT EXISTS dbkit_audit;
SELECT plan(14);

CREATE TEMP TABLE members AS
SELECT classid, objid, objsubid, (pg_identify_object(classid, objid, objsubid)).*
FROM pg_depend
WHERE refclassid = 'pg_extension'::regclass AND deptype = 'e'
  AND refobjid IN (SELECT oid FROM pg_extension WHERE extname IN ('dbkit', 'dbkit_test', 'dbkit_audit'));

SELECT cmp_ok((SELECT count(*) FROM members WHERE type = 'function'), '>=', 15::bigint, 'the list of objects is not empty');
SELECT is_empty($$
	SELECT type, identity FROM members
	WHERE type IN ('function', 'view', 'table', 'event trigger', 'schema')
	  AND coalesce(obj_description(objid, classid::regclass::name), '') = ''
$$, 'every function, view, table, event trigger and schema has a comment');
SELECT is_empty($$
	SELECT relation.oid::regclass, attname
	FROM members JOIN pg_class AS relation ON classid = 'pg_class'::regclass AND relation.oid = objid
	JOIN pg_attribute ON attrelid = relation.oid AND attnum > 0
	WHERE relkind = 'r' AND NOT relispartition AND col_description(relation.oid, attnum) IS NULL
$$, 'every column of a table has a comment');
SELECT is_empty($$
	SELECT identity FROM members
	WHERE schema NOT IN ('dbkit', (SELECT extnamespace::regnamespace::text FROM pg_extension WHERE extname = 'dbkit'))
$$, 'nothing is where it should not be');
SELECT results_eq($$
	SELECT proname::text COLLATE "default" FROM members JOIN pg_proc AS p ON classid = 'pg_proc'::regclass AND p.oid = objid
	WHERE pronamespace <> 'dbkit'::regnamespace ORDER BY 1
$$, ARRAY['generate_id', 'updated_at'], 'only what tables write bare is outside the schema dbkit');

SELECT is_empty($$
	SELECT p.oid::regprocedure FROM members JOIN pg_proc AS p ON classid = 'pg_proc'::regclass AND p.oid = objid
	WHERE prosecdef
$$, 'nothing is SECURITY DEFINER');
SELECT is_empty($$
	SELECT identity FROM members
	LEFT JOIN pg_proc AS p ON classid = 'pg_proc'::regclass AND p.oid = objid
	LEFT JOIN pg_class AS c ON classid = 'pg_class'::regclass AND c.oid = objid
	LEFT JOIN pg_namespace AS n ON classid = 'pg_namespace'::regclass AND n.oid = objid
	LEFT JOIN pg_event_trigger AS e ON classid = 'pg_event_trigger'::regclass AND e.oid = objid
	LEFT JOIN pg_roles AS owner ON owner.oid = coalesce(proowner, relowner, nspowner, evtowner)
	WHERE rolsuper IS NOT TRUE AND type NOT IN ('type', 'rule', 'composite type')
$$, 'everything belongs to a superuser');
SELECT is_empty($$
	SELECT p.oid::regprocedure FROM members JOIN pg_proc AS p ON classid = 'pg_proc'::regclass AND p.oid = objid
	WHERE NOT has_function_privilege('public', p.oid, 'EXECUTE')
$$, 'anybody can call every function');
SELECT results_eq($$
	SELECT c.oid::regclass::text, has_table_privilege('public', c.oid, 'SELECT'),
		has_table_privilege('public', c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER')
	FROM members JOIN pg_class AS c ON classid = 'pg_class'::regclass AND c.oid = objid
	WHERE c.relname IN ('rules', 'id_prefix', 'schema_version', 'health') ORDER BY 1
$$, $$VALUES ('dbkit.health', true, false), ('dbkit.id_prefix', true, false), ('dbkit.rules', true, false), ('dbkit.schema_version', true, false)$$, 'anybody can read the rules, the registry, the ledger and health, nobody write them');
SELECT ok(has_schema_privilege('public', 'dbkit', 'USAGE') AND NOT has_schema_privilege('public', 'dbkit', 'CREATE'),
	'anybody can use the schema, nobody create in it');
SELECT is_empty($$
	SELECT c.oid::regclass FROM members JOIN pg_class AS c ON classid = 'pg_class'::regclass AND c.oid = objid
	WHERE relkind = 'v' AND NOT coalesce('security_invoker=true' = ANY (reloptions), false)
$$, 'its own views keep the convention');

-- volatility, strictness, parallel safety
SELECT bag_eq($$
	SELECT p.oid::regprocedure::text COLLATE "default", concat(provolatile, CASE WHEN proisstrict THEN ' strict ' ELSE ' ' END, proparallel)
	FROM members JOIN pg_proc AS p ON classid = 'pg_proc'::regclass AND p.oid = objid
	WHERE proname IN ('generate_id', 'updated_at', 'generate_id_at', 'is_id', 'id_prefix', 'id_uuid', 'id_from_uuid', 'id_timestamp',
		'id_lower_bound', 'id_upper_bound', 'table_of', 'check', 'check_schema', 'fixes', 'run_as', 'add_rule', 'drop_rule', 'apply', 'revert', 'keep_ledger', 'fingerprint', 'schema_sql', 'annotate', 'annotations', 'annotations_yaml', 'describe', 'health', 'report', 'rules', 'ddl_command_end', 'sql_drop', 'ignore_replicated',
		'make', 'make_many', 'leak_test', 'audit', 'unaudit', 'as_of', 'audit_history', 'audit_check', 'audit_seal', 'audit_trim', 'audit_erase', 'audit_statement', 'record_ddl')
$$, $$VALUES
	('dbkit."check"()', 's strict u'),
	('dbkit."check"(regclass)', 's strict u'),
	('dbkit.add_rule(text,regprocedure,text[],text,text)', 'v u'),
	('dbkit.annotate(jsonb)', 'v u'),
	('dbkit.annotations(regnamespace)', 's u'),
	('dbkit.annotations_yaml(regnamespace)', 's u'),
	('dbkit.apply(bigint,text,text,text)', 'v u'),
	('dbkit.as_of(anyelement,text,timestamp with time zone)', 's u'),
	('dbkit.audit(regclass,name[])', 'v strict u'),
	('dbkit.audit_check(text)', 's u'),
	('dbkit.audit_erase(text,text)', 'v strict u'),
	('dbkit.audit_history(regclass,text)', 's strict s'),
	('dbkit.audit_seal(text)', 'v u'),
	('dbkit.audit_statement()', 'v u'),
	('dbkit.audit_trim(timestamp with time zone)', 'v strict u'),
	('dbkit.check_schema(regnamespace)', 's strict u'),
	('dbkit.ddl_command_end()', 'v u'),
	('dbkit.describe(text,regnamespace)', 's u'),
	('dbkit.drop_rule(text)', 'v strict u'),
	('dbkit.fingerprint()', 's u'),
	('dbkit.fixes(text,regclass)', 'v u'),
	('dbkit.generate_id_at(text,timestamp with time zone)', 'v strict s'),
	('dbkit.health()', 'v strict u'),
	('dbkit.id_from_uuid(text,uuid)', 'i strict s'),
	('dbkit.id_lower_bound(text,timestamp with time zone)', 'i strict s'),
	('dbkit.id_prefix(text)', 'i strict s'),
	('dbkit.id_timestamp(text)', 'i strict s'),
	('dbkit.id_upper_bound(text,timestamp with time zone)', 'i strict s'),
	('dbkit.id_uuid(text)', 'i strict s'),
	('dbkit.ignore_replicated()', 'v u'),
	('dbkit.is_id(text,text)', 'i s'),
	('dbkit.keep_ledger()', 'v u'),
	('dbkit.leak_test(name)', 'v u'),
	('dbkit.make(anyelement,jsonb)', 'v u'),
	('dbkit.make_many(anyelement,bigint,jsonb)', 'v u'),
	('dbkit.record_ddl()', 'v u'),
	('dbkit.report(text,regnamespace)', 's u'),
	('dbkit.revert(bigint)', 'v strict u'),
	('dbkit.rules()', 's strict r'),
	('dbkit.run_as(name,text)', 'v strict u'),
	('dbkit.schema_sql(jsonb)', 'v strict u'),
	('dbkit.sql_drop()', 'v u'),
	('dbkit.table_of(text)', 's strict s'),
	('dbkit.unaudit(regclass)', 'v strict u'),
	('generate_id(text)', 'v strict s'),
	('updated_at()', 'v s')$$, 'volatility, strictness and parallel safety are as designed');

SELECT results_eq($$
	SELECT evtname::text COLLATE "default", evtevent::text COLLATE "default", evtenabled::text, evttags::text COLLATE "default" FROM pg_event_trigger
	WHERE evtname ~ '^dbkit_' AND evtevent IN ('ddl_command_end', 'sql_drop') ORDER BY 1
$$, $$VALUES ('dbkit_audit_follow', 'ddl_command_end', 'O', '{"ALTER TABLE","CREATE FOREIGN TABLE","CREATE SCHEMA","CREATE TABLE"}'), ('dbkit_ddl_command_end', 'ddl_command_end', 'O', NULL),
	('dbkit_record_ddl', 'ddl_command_end', 'A', NULL), ('dbkit_record_drop', 'sql_drop', 'A', NULL), ('dbkit_sql_drop', 'sql_drop', 'O', NULL)$$,
	'the event triggers fire in sessions of origin, those that record in all, dbkit''s own for every command');
SELECT results_eq($$
	SELECT name COLLATE "C", context FROM pg_settings
	WHERE name ~ '^dbkit\.(enforce|rule|required|record|large|max_lock_time)' ORDER BY 1
$$, $$VALUES ('dbkit.enforce' COLLATE "C", 'superuser'), ('dbkit.large_table_size', 'superuser'),
	('dbkit.max_lock_time', 'superuser'), ('dbkit.record_ddl', 'superuser'), ('dbkit.required_rules', 'sighup'), ('dbkit.rule_levels', 'superuser')$$,
	'what is enforced is for superusers to set, and what is required for the configuration');

SELECT finish();
ROLLBACK;
