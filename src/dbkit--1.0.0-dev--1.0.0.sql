\echo Use "ALTER EXTENSION dbkit UPDATE" to load this file. \quit

-- The symbols of the library have a prefix.  The functions of event triggers come first, which run after every statement here.
CREATE OR REPLACE FUNCTION dbkit.ddl_command_start() RETURNS pg_catalog.event_trigger
AS 'MODULE_PATHNAME', 'dbkit_ddl_command_start'
LANGUAGE C VOLATILE PARALLEL UNSAFE;

CREATE OR REPLACE FUNCTION dbkit.ddl_command_end() RETURNS pg_catalog.event_trigger
AS 'MODULE_PATHNAME', 'dbkit_ddl_command_end'
LANGUAGE C VOLATILE PARALLEL UNSAFE;

CREATE OR REPLACE FUNCTION dbkit.sql_drop() RETURNS pg_catalog.event_trigger
AS 'MODULE_PATHNAME', 'dbkit_sql_drop'
LANGUAGE C VOLATILE PARALLEL UNSAFE;

CREATE OR REPLACE FUNCTION dbkit.table_rewrite() RETURNS pg_catalog.event_trigger
AS 'MODULE_PATHNAME', 'dbkit_table_rewrite'
LANGUAGE C VOLATILE PARALLEL UNSAFE;

CREATE OR REPLACE FUNCTION generate_id(prefix pg_catalog.text) RETURNS pg_catalog.text
	LANGUAGE c VOLATILE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'dbkit_generate_id';

CREATE OR REPLACE FUNCTION dbkit.generate_id_at(prefix pg_catalog.text, at pg_catalog.timestamptz) RETURNS pg_catalog.text
	LANGUAGE c VOLATILE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'dbkit_generate_id_at';

CREATE OR REPLACE FUNCTION dbkit.is_id(id pg_catalog.text, prefix pg_catalog.text DEFAULT NULL) RETURNS boolean
	LANGUAGE c IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE AS 'MODULE_PATHNAME', 'dbkit_is_id';

CREATE OR REPLACE FUNCTION dbkit.id_prefix(id pg_catalog.text) RETURNS pg_catalog.text
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'dbkit_id_prefix';

CREATE OR REPLACE FUNCTION dbkit.id_uuid(id pg_catalog.text) RETURNS pg_catalog.uuid
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'dbkit_id_uuid';

CREATE OR REPLACE FUNCTION dbkit.id_from_uuid(prefix pg_catalog.text, uuid pg_catalog.uuid) RETURNS pg_catalog.text
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'dbkit_id_from_uuid';

CREATE OR REPLACE FUNCTION dbkit.id_timestamp(id pg_catalog.text) RETURNS pg_catalog.timestamptz
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'dbkit_id_timestamp';

CREATE OR REPLACE FUNCTION dbkit.id_lower_bound(prefix pg_catalog.text, at pg_catalog.timestamptz) RETURNS pg_catalog.text
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'dbkit_id_lower_bound';

CREATE OR REPLACE FUNCTION dbkit.id_upper_bound(prefix pg_catalog.text, at pg_catalog.timestamptz) RETURNS pg_catalog.text
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'dbkit_id_upper_bound';

CREATE OR REPLACE FUNCTION updated_at() RETURNS pg_catalog.trigger
	AS 'MODULE_PATHNAME', 'dbkit_updated_at'
	LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL SAFE;

-- The function gets another column.  Others may use the view, so it is not dropped.
CREATE FUNCTION dbkit.rules_and_why(
	OUT id pg_catalog.text, OUT phase pg_catalog.text, OUT level pg_catalog.text, OUT description pg_catalog.text, OUT fixable boolean, OUT why pg_catalog.text)
RETURNS SETOF pg_catalog.record
AS 'MODULE_PATHNAME', 'dbkit_rules'
LANGUAGE C STABLE STRICT PARALLEL RESTRICTED ROWS 20;
CREATE OR REPLACE VIEW dbkit.rules WITH (security_invoker = true) AS
SELECT id, phase, level, description, fixable, why FROM dbkit.rules_and_why() AS rules;
DROP FUNCTION dbkit.rules();
ALTER FUNCTION dbkit.rules_and_why() RENAME TO rules;
COMMENT ON FUNCTION dbkit.rules() IS
'The schema conventions with their levels in this session; see the view dbkit.rules';

-- Their rows get another column, for which PostgreSQL has no other way.
DROP FUNCTION dbkit.check(), dbkit.check(pg_catalog.regclass), dbkit.check_schema(pg_catalog.regnamespace);
CREATE FUNCTION dbkit.check(
	OUT rule pg_catalog.text, OUT level pg_catalog.text, OUT object_type pg_catalog.text, OUT object_identity pg_catalog.text,
	OUT column_name pg_catalog.text, OUT problem pg_catalog.text, OUT fix pg_catalog.text, OUT risk pg_catalog.text)
RETURNS SETOF pg_catalog.record
AS 'MODULE_PATHNAME', 'dbkit_check'
LANGUAGE C STABLE STRICT PARALLEL UNSAFE;

CREATE FUNCTION dbkit.check(
	relation pg_catalog.regclass,
	OUT rule pg_catalog.text, OUT level pg_catalog.text, OUT object_type pg_catalog.text, OUT object_identity pg_catalog.text,
	OUT column_name pg_catalog.text, OUT problem pg_catalog.text, OUT fix pg_catalog.text, OUT risk pg_catalog.text)
RETURNS SETOF pg_catalog.record
AS 'MODULE_PATHNAME', 'dbkit_check_relation'
LANGUAGE C STABLE STRICT PARALLEL UNSAFE ROWS 10;

CREATE FUNCTION dbkit.check_schema(
	schema pg_catalog.regnamespace,
	OUT rule pg_catalog.text, OUT level pg_catalog.text, OUT object_type pg_catalog.text, OUT object_identity pg_catalog.text,
	OUT column_name pg_catalog.text, OUT problem pg_catalog.text, OUT fix pg_catalog.text, OUT risk pg_catalog.text)
RETURNS SETOF pg_catalog.record
AS 'MODULE_PATHNAME', 'dbkit_check_schema'
LANGUAGE C STABLE STRICT PARALLEL UNSAFE;

CREATE FUNCTION dbkit.fixes(risk pg_catalog.text DEFAULT 'safe'::pg_catalog.text, relation pg_catalog.regclass DEFAULT NULL)
RETURNS SETOF pg_catalog.text
AS 'MODULE_PATHNAME', 'dbkit_fixes'
LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION dbkit.fixes(pg_catalog.text, pg_catalog.regclass) IS
'Scripts for \gexec that fix what dbkit.check() finds, in the order in which they are to be run. risk: what they may do at most: safe (only the catalogs change, and no application that names its columns can notice), locks (a table is read or rewritten while others wait) or breaks (a running application may notice). They are those for objects of roles that the caller has, or for one relation, whoever owns it. Each fixes all that is wrong with a table, and changes both ends of a foreign key; large tables are changed in steps that nobody waits for. Errors: invalid_parameter_value for another risk or none, undefined_table';

CREATE FUNCTION dbkit.run_as(role pg_catalog.name, script pg_catalog.text)
RETURNS pg_catalog.void
AS 'MODULE_PATHNAME', 'dbkit_run_as'
LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION dbkit.run_as(pg_catalog.name, pg_catalog.text) IS
'Runs the statements of a script, as dbkit.fixes() writes them, as a role that the caller could SET ROLE to: with its rights alone, which nothing in the script gets out of, and names without a schema are those of pg_catalog. Settings that the script changes have their values again afterwards. Errors: undefined_object, insufficient_privilege, feature_not_supported for a statement that cannot be run so, and those of the script';

CREATE FUNCTION dbkit.explain_rule(rule pg_catalog.text)
RETURNS pg_catalog.text
AS 'MODULE_PATHNAME', 'dbkit_explain_rule'
LANGUAGE C STABLE STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION dbkit.explain_rule(pg_catalog.text) IS
'Why a rule exists, what it refuses and accepts, how to fix that, what it costs on a large table, and how to be exempt; Markdown. Errors: invalid_parameter_value for an unknown rule';

CREATE FUNCTION dbkit.create_table(name pg_catalog.text, columns pg_catalog.text DEFAULT ''::pg_catalog.text,
  prefix pg_catalog.text DEFAULT NULL, access pg_catalog.text DEFAULT 'tenant'::pg_catalog.text) RETURNS pg_catalog.regclass
AS 'MODULE_PATHNAME', 'dbkit_create_table'
LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION dbkit.create_table(pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text) IS
'Makes a table of these columns, written as between the parentheses of CREATE TABLE, as the agreement wants it: with its id, trigger, indexes and policy, and types that the rules accept. Without a prefix a free one is taken. It is protected as by dbkit.protect() with this access, for the customer_role of the agreement, or for all where there is no such role.';

CREATE FUNCTION dbkit.create_table_sql(name pg_catalog.text, columns pg_catalog.text DEFAULT ''::pg_catalog.text,
  prefix pg_catalog.text DEFAULT NULL, access pg_catalog.text DEFAULT 'tenant'::pg_catalog.text) RETURNS pg_catalog.text
AS 'MODULE_PATHNAME', 'dbkit_create_table_sql'
LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION dbkit.create_table_sql(pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text) IS
'The statements by which dbkit.create_table() makes that table, for a migration that runs them in one transaction';

CREATE FUNCTION dbkit.verify()
RETURNS pg_catalog.text
AS 'MODULE_PATHNAME', 'dbkit_verify'
LANGUAGE C STABLE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION dbkit.verify() IS
'Fails with all that dbkit.check() reports at level error, so that a script in CI ends with it; otherwise says how many tables there are, and warnings. Errors: KD001';

CREATE FUNCTION dbkit.report(format pg_catalog.text, schema pg_catalog.regnamespace DEFAULT NULL)
RETURNS pg_catalog.text
AS 'MODULE_PATHNAME', 'dbkit_report_in_format'
LANGUAGE C STABLE PARALLEL UNSAFE;
COMMENT ON FUNCTION dbkit.report(pg_catalog.text, pg_catalog.regnamespace) IS
'What dbkit.check() finds in the database or in one schema, for a program to read: format is text, json, junit, github (annotations of GitHub Actions), markdown or sarif. Errors: invalid_parameter_value for another format or none, invalid_schema_name';

CREATE OR REPLACE FUNCTION dbkit.ignore_replicated() RETURNS pg_catalog.trigger
AS 'MODULE_PATHNAME', 'dbkit_ignore_replicated'
LANGUAGE C VOLATILE PARALLEL UNSAFE;

CREATE OR REPLACE FUNCTION dbkit.register_prefix(relation pg_catalog.regclass) RETURNS pg_catalog.void
AS 'MODULE_PATHNAME', 'dbkit_register_prefix'
LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;

CREATE OR REPLACE FUNCTION dbkit.table_of(id pg_catalog.text) RETURNS pg_catalog.regclass
AS 'MODULE_PATHNAME', 'dbkit_table_of'
LANGUAGE C STABLE STRICT PARALLEL SAFE;

-- A subscriber cannot read a regclass of a table that only the publisher has.
ALTER TABLE dbkit.id_prefix ALTER COLUMN relation TYPE pg_catalog.oid;

-- No constraint any more, but an index of its name, which the event triggers need throughout.
ALTER INDEX dbkit.id_prefix_relation_key RENAME TO id_prefix_relation_old;
CREATE UNIQUE INDEX id_prefix_relation_key ON dbkit.id_prefix (relation);
ALTER TABLE dbkit.id_prefix DROP CONSTRAINT id_prefix_relation_old;
COMMENT ON COLUMN dbkit.id_prefix.relation IS 'The table that has it; cast it to regclass to see its name';

-- It has kinds of access, and an inverse.
DROP FUNCTION dbkit.protect(pg_catalog.regclass, pg_catalog.name, pg_catalog.name, pg_catalog.name);
CREATE FUNCTION dbkit.protect(relation pg_catalog.regclass, user_column pg_catalog.name DEFAULT NULL,
  organization_column pg_catalog.name DEFAULT NULL, role pg_catalog.name DEFAULT 'customer'::pg_catalog.name,
  access pg_catalog.text DEFAULT 'tenant'::pg_catalog.text) RETURNS pg_catalog.void
AS 'MODULE_PATHNAME', 'dbkit_protect' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION dbkit.protect(pg_catalog.regclass, pg_catalog.name, pg_catalog.name, pg_catalog.name, pg_catalog.text) IS
'enable and force row level security on a table, its partitions and children, and create or replace the policies <role>_isolation... on each. access tenant: shows and lets write the rows whose organization column equals dbkit.organization_id(), or in a table without one those whose user column equals dbkit.user_id(); if columns are named, those count and no other, and rows that match either of two are shown. member: the organization reads a row, and the user in the user column writes it. read: everybody reads all rows, and nobody writes. A column that is NULL defaults to the first of the agreement''s organization_columns or user_columns that the table has (id on the tables of organizations and users themselves), an empty one is left out. Grants the role the privileges that the access needs, gives these columns dbkit.organization_id() and dbkit.user_id() as defaults where they have none, and the admin_role of the agreement a policy by which it sees all. For the table''s owner. Errors: undefined_column, datatype_mismatch or collation_mismatch for a column that does not tell tenants apart, undefined_object, invalid_parameter_value for another access';

CREATE FUNCTION dbkit.protect_sql(relation pg_catalog.regclass, user_column pg_catalog.name DEFAULT NULL,
  organization_column pg_catalog.name DEFAULT NULL, role pg_catalog.name DEFAULT 'customer'::pg_catalog.name,
  access pg_catalog.text DEFAULT 'tenant'::pg_catalog.text) RETURNS pg_catalog.text
AS 'MODULE_PATHNAME', 'dbkit_protect_sql' LANGUAGE C STABLE PARALLEL UNSAFE;
COMMENT ON FUNCTION dbkit.protect_sql(pg_catalog.regclass, pg_catalog.name, pg_catalog.name, pg_catalog.name, pg_catalog.text) IS
'The statements that dbkit.protect() would run with these arguments, for a migration. Errors: the same';

CREATE FUNCTION dbkit.unprotect(relation pg_catalog.regclass, role pg_catalog.name DEFAULT 'customer'::pg_catalog.name) RETURNS pg_catalog.void
AS 'MODULE_PATHNAME', 'dbkit_unprotect' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION dbkit.unprotect(pg_catalog.regclass, pg_catalog.name) IS
'take back what dbkit.protect() made for a role: its policies, also on partitions and children, and its privileges; with the last policy of a table also those of the admin_role, and the defaults that say who has entered. Row level security is disabled only where no policy is left and that opens the table to nobody: no other role has a privilege on it, and no view reads it. For the table''s owner. Errors: undefined_object, undefined_table, wrong_object_type, insufficient_privilege';

-- A new partition is protected as its parent is.
COMMENT ON FUNCTION dbkit.ddl_command_end() IS
'Event trigger function: rejects DDL that breaks the schema conventions with SQLSTATE KD001, and protects a new partition or child as its parent is';
-- It has to see all that can keep others waiting.
DROP EVENT TRIGGER dbkit_ddl_command_start;
CREATE EVENT TRIGGER dbkit_ddl_command_start ON ddl_command_start
	WHEN TAG IN ('ALTER EXTENSION', 'ALTER INDEX', 'ALTER MATERIALIZED VIEW', 'ALTER POLICY', 'ALTER TABLE', 'ALTER TRIGGER', 'ALTER VIEW', 'CREATE EXTENSION', 'CREATE INDEX', 'CREATE POLICY', 'CREATE RULE', 'CREATE SCHEMA', 'CREATE TABLE AS',
		'CREATE TABLE', 'CREATE TRIGGER', 'DROP INDEX', 'DROP MATERIALIZED VIEW', 'DROP POLICY', 'DROP RULE', 'DROP TABLE', 'DROP TRIGGER', 'DROP VIEW', 'REFRESH MATERIALIZED VIEW', 'SELECT INTO')
	EXECUTE FUNCTION dbkit.ddl_command_start();
COMMENT ON EVENT TRIGGER dbkit_ddl_command_start IS
'Rejects a change of a large table that others would wait for, by the rules of phase change, before it is made, notes what a CREATE TABLE is made from: a partitioned table by LIKE, a query by AS, and takes a policy that is changed or dropped away from partitions and children';
COMMENT ON EVENT TRIGGER dbkit_ddl_command_end IS
'Rejects DDL that breaks the schema conventions, and gives partitions and children the row level security of their parent, when they are made and when it changes. ALTER EVENT TRIGGER dbkit_ddl_command_end DISABLE switches that off';
-- Signed mode guards what one request leaves to the next, and locks of others have no name in a context.
COMMENT ON FUNCTION dbkit.enter(pg_catalog.text, pg_catalog.text) IS
'bind the transaction to a user and an organization, either of which may be NULL; once per transaction, not in a subtransaction and not in the query of a cursor WITH HOLD (object_not_in_prerequisite_state); insufficient_privilege where dbkit.context_key_file is set';
COMMENT ON FUNCTION dbkit.enter(pg_catalog.text, pg_catalog.text, pg_catalog.text) IS
'bind the transaction to a user and an organization, with a signature: 64 lower-case hexadecimal digits, the HMAC-SHA256 under the key in dbkit.context_key_file of the netstrings of database, role, user, organization and nonce; insufficient_privilege if it is not valid, object_not_in_prerequisite_state if the session has changed search_path or standard_conforming_strings';
COMMENT ON VIEW dbkit.locks IS
'The advisory locks on a bigint key in this database, one row per holder and waiter: name (NULL where unknown, where pg_stat_activity would hide the query, and for other sessions while a tenant context is entered), key, mode, granted, pid (NULL: a prepared transaction), application_name, waiting_since, blocked_by (pids).';
COMMENT ON FUNCTION dbkit.rename_enum_value(pg_catalog.regclass, pg_catalog.text, pg_catalog.text) IS
'Renames a value of an enum table, with all rows that reference it and all defaults, and gives the number of these rows. It keeps its place. Writers to the referencing tables wait until the end of the transaction. Without the rights to change every referencing column it is an error before anything changes. Statements on tables of other owners, superusers aside, run as these owners.';

COMMENT ON FUNCTION dbkit.drop_enum_value(pg_catalog.regclass, pg_catalog.text, pg_catalog.text) IS
'Drops a value of an enum table. Rows and defaults that use it get the value replace_with; without one, a value in use is an error (dependent_objects_still_exist) that says where. Gives the number of rows changed. Statements on tables of other owners, superusers aside, run as these owners.';

COMMENT ON FUNCTION dbkit.enum_from_type(pg_catalog.regtype) IS
'Turns a native enum into the enum table <type>_enum in the schema of the type, and its columns into text with a foreign key and an index; drops the type. Views, functions, arrays, domains and expressions that depend on the type are refused (dependent_objects_still_exist) with their names. Tables of other owners, superusers aside, are changed as these owners, who get SELECT and REFERENCES on the enum table.';

COMMENT ON FUNCTION dbkit.check() IS
'Everything in the database that breaks a schema convention at level warning or above, one row per finding; fix is SQL that fixes it, NULL where there is none, and risk what that may do: safe, locks or breaks (see dbkit.fixes). The same as CREATE would be rejected for, whatever dbkit.enforce says';
COMMENT ON FUNCTION dbkit.register_prefix(pg_catalog.regclass) IS
'Brings the prefix registry up to date with a table that was created or changed while the event triggers were disabled, as dbkit.check() advises; what is dropped meanwhile has no prefix. Errors: read_only_sql_transaction';
COMMENT ON VIEW dbkit.rules IS
'The schema conventions: id, phase (statement: judged when a statement ends; commit: before COMMIT; change: before the statement does its work, lock_held at COMMIT), level in this session (by the agreement and dbkit.rule_levels, schemas of their own apart), what it demands, whether dbkit.check() has a fix for it, and why there is such a rule';
COMMENT ON FUNCTION dbkit.ignore_replicated() IS
'Trigger function: keeps the rows of a publisher''s prefix registry out of the subscriber''s';
COMMENT ON FUNCTION dbkit.ddl_command_start() IS
'Event trigger function: rejects a change of a table larger than dbkit.large_table_size that others would wait for, by the rules of phase change, before it is made, notes what a CREATE TABLE is made from: a partitioned table by LIKE, a query by AS, and takes a policy that is changed or dropped away from partitions and children';
COMMENT ON FUNCTION dbkit.table_rewrite() IS
'Event trigger function: rejects the rewrite of a table larger than dbkit.large_table_size, by the rule table_rewrite';
COMMENT ON FUNCTION dbkit.check(pg_catalog.regclass) IS
'dbkit.check() for one table or view. Errors: undefined_table';
COMMENT ON FUNCTION dbkit.check_schema(pg_catalog.regnamespace) IS
'dbkit.check() for the tables, views, types and functions of one schema. Errors: invalid_schema_name';

CREATE FUNCTION dbkit.to_typed_json(value anyelement) RETURNS pg_catalog.jsonb
	LANGUAGE c STABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'dbkit_to_typed_json';
COMMENT ON FUNCTION dbkit.to_typed_json(anyelement) IS
'the value as JSON that dbkit.from_typed_json() reads back without a loss: as to_jsonb() writes it, but a timestamptz is {"__sentinel": "timestamp", "value": "2024-01-10T12:00:00+00:00"}, a date {"__sentinel": "date", "value": "2024-01-10"}, and an object that has the key __sentinel itself {"__sentinel": "object", "value": {...}}; datetime_field_overflow for infinity, BC and years after 9999';

CREATE FUNCTION dbkit.from_typed_json(sample anyelement, "json" pg_catalog.jsonb) RETURNS anyelement
	LANGUAGE c STABLE CALLED ON NULL INPUT PARALLEL SAFE AS 'MODULE_PATHNAME', 'dbkit_from_typed_json';
COMMENT ON FUNCTION dbkit.from_typed_json(anyelement, pg_catalog.jsonb) IS
'the value that dbkit.to_typed_json() was given. sample: gives the type, NULL::my_table for instance, and the columns that the JSON does not have; datatype_mismatch where the JSON has another form than the type';

CREATE FUNCTION dbkit.json_timestamp("json" pg_catalog.jsonb) RETURNS pg_catalog.timestamptz
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'dbkit_json_timestamp';
COMMENT ON FUNCTION dbkit.json_timestamp(pg_catalog.jsonb) IS
'the time that typed JSON or a JSON string holds; NULL for JSON null; can be indexed. invalid_datetime_format for a text without an offset or with more than six digits of a fraction, datatype_mismatch for a date';

CREATE FUNCTION dbkit.json_date("json" pg_catalog.jsonb) RETURNS pg_catalog.date
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'dbkit_json_date';
COMMENT ON FUNCTION dbkit.json_date(pg_catalog.jsonb) IS
'the date that typed JSON or a JSON string holds; NULL for JSON null; can be indexed. invalid_datetime_format for another text than 2024-01-10, datatype_mismatch for a timestamp';

CREATE FUNCTION dbkit.is_typed_json("json" pg_catalog.jsonb) RETURNS boolean
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'dbkit_is_typed_json';
COMMENT ON FUNCTION dbkit.is_typed_json(pg_catalog.jsonb) IS
'whether each object with the key __sentinel, at any depth, is one that typed JSON has; raises nothing, so it can stand in a CHECK';

-- What settings and exemptions said is the agreement now.
CREATE FUNCTION dbkit.agree(changes pg_catalog.jsonb) RETURNS pg_catalog.jsonb
AS 'MODULE_PATHNAME', 'dbkit_agree'
LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION dbkit.agree(pg_catalog.jsonb) IS
'Merges changes into the agreement (null removes a key) and returns what it was before. It is written to the function dbkit_agreement() in the schema of the extension, which every dump carries. For superusers and the owners of the extension and the database. Errors: insufficient_privilege; invalid_parameter_value for an unknown key or value, object_not_in_prerequisite_state if somebody else owns that function';

CREATE FUNCTION dbkit.agreement() RETURNS pg_catalog.jsonb
AS 'MODULE_PATHNAME', 'dbkit_agreement_sql'
LANGUAGE C STABLE PARALLEL RESTRICTED;
COMMENT ON FUNCTION dbkit.agreement() IS
'The agreement: how the schema of this database is to look, with all defaults and the level of each rule';

CREATE FUNCTION dbkit.suggest() RETURNS pg_catalog.jsonb
AS 'MODULE_PATHNAME', 'dbkit_suggest'
LANGUAGE C STABLE PARALLEL RESTRICTED;
COMMENT ON FUNCTION dbkit.suggest() IS
'The agreement that the tables already follow, to be looked at, changed and given to dbkit.agree(): the nearest preset, and what differs from it. Rules that nearly all tables keep are errors, those that half of them keep warnings, the others off';

CREATE FUNCTION dbkit.suggestion(
	OUT key pg_catalog.text, OUT value pg_catalog.text, OUT tables bigint, OUT conforming bigint)
RETURNS SETOF pg_catalog.record
AS 'MODULE_PATHNAME', 'dbkit_suggestion'
LANGUAGE C STABLE STRICT PARALLEL RESTRICTED ROWS 40;
COMMENT ON FUNCTION dbkit.suggestion() IS
'What dbkit.suggest() rests on; see the view dbkit.suggestion';

CREATE VIEW dbkit.suggestion WITH (security_invoker = true) AS
SELECT key, value, tables, conforming FROM dbkit.suggestion();
COMMENT ON VIEW dbkit.suggestion IS
'What dbkit.suggest() rests on: each key of the agreement, and each rule as rules.<id>, with the value that the tables suggest, how many of them it is about, and how many have it';
GRANT SELECT ON dbkit.suggestion TO PUBLIC;

CREATE FUNCTION dbkit.status(
	OUT name pg_catalog.text, OUT value pg_catalog.text, OUT source pg_catalog.text, OUT hint pg_catalog.text)
RETURNS SETOF pg_catalog.record
AS 'MODULE_PATHNAME', 'dbkit_status'
LANGUAGE C STABLE STRICT PARALLEL UNSAFE ROWS 40;
COMMENT ON FUNCTION dbkit.status() IS
'What holds in this database and session: versions, whether DDL is rejected, the agreement, the level of each rule and where it comes from, and what to do where something is missing';

CREATE OR REPLACE FUNCTION dbkit.exempt(
	object pg_catalog.text, rule pg_catalog.text, reason pg_catalog.text, expires_at pg_catalog.timestamptz DEFAULT NULL)
RETURNS pg_catalog.void
AS 'MODULE_PATHNAME', 'dbkit_exempt'
LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION dbkit.exempt(pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.timestamptz) IS
'Exempts the object named schema.name, or if there is a % in it all objects whose schema.name is LIKE it, from a rule, or from all for *, until expires_at or for good; replaces an exemption with the same object and rule. Part of the agreement. Errors: null_value_not_allowed; insufficient_privilege; invalid_parameter_value for an unknown rule, an empty reason or a time that is past';

CREATE OR REPLACE FUNCTION dbkit.unexempt(object pg_catalog.text, rule pg_catalog.text) RETURNS boolean
AS 'MODULE_PATHNAME', 'dbkit_unexempt'
LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION dbkit.unexempt(pg_catalog.text, pg_catalog.text) IS
'Takes back the exemption with exactly this object and rule; false where there is none. Errors: null_value_not_allowed, insufficient_privilege, invalid_parameter_value for an unknown rule';

CREATE OR REPLACE FUNCTION dbkit.stale_exemptions(
	OUT object pg_catalog.text, OUT rule pg_catalog.text, OUT reason pg_catalog.text, OUT expires_at pg_catalog.timestamptz, OUT problem pg_catalog.text)
RETURNS SETOF pg_catalog.record
AS 'MODULE_PATHNAME', 'dbkit_stale_exemptions'
LANGUAGE C STABLE STRICT PARALLEL UNSAFE;

DO LANGUAGE plpgsql $$
DECLARE
	setting pg_catalog.text;
	parameter pg_catalog.text;
	database pg_catalog.oid;
	value pg_catalog.text;
	rules pg_catalog.jsonb := '{}'::pg_catalog.jsonb;
	changes pg_catalog.jsonb := '{}'::pg_catalog.jsonb;
BEGIN
	SELECT oid INTO database FROM pg_catalog.pg_database
	WHERE datname OPERATOR(pg_catalog.=) pg_catalog.current_database();
	FOR setting IN
		SELECT pg_catalog.unnest(setconfig) FROM pg_catalog.pg_db_role_setting
		WHERE setrole OPERATOR(pg_catalog.=) 0::pg_catalog.oid
		AND setdatabase OPERATOR(pg_catalog.=) database
	LOOP
		parameter := pg_catalog.split_part(setting, '='::pg_catalog.text, 1);
		value := pg_catalog.substr(setting, pg_catalog.length(parameter) OPERATOR(pg_catalog.+) 2);
		IF parameter OPERATOR(pg_catalog.~~) 'dbkit.rule.%'::pg_catalog.text THEN
			rules := rules OPERATOR(pg_catalog.||) pg_catalog.jsonb_build_object(pg_catalog.substr(parameter, 12), value);
		ELSIF parameter OPERATOR(pg_catalog.=) 'dbkit.id_style'::pg_catalog.text THEN
			changes := changes OPERATOR(pg_catalog.||) pg_catalog.jsonb_build_object('id_style'::pg_catalog.text, value);
		ELSIF parameter OPERATOR(pg_catalog.=) ANY ('{dbkit.user_table,dbkit.organization_table,dbkit.updated_at_functions}'::pg_catalog.text[]) THEN
			changes := changes OPERATOR(pg_catalog.||) pg_catalog.jsonb_build_object(
				CASE
					WHEN parameter OPERATOR(pg_catalog.=) 'dbkit.user_table'::pg_catalog.text THEN 'user_tables'::pg_catalog.text
					WHEN parameter OPERATOR(pg_catalog.=) 'dbkit.organization_table'::pg_catalog.text THEN 'organization_tables'::pg_catalog.text
					ELSE 'updated_at_functions'::pg_catalog.text END,
				pg_catalog.regexp_split_to_array(pg_catalog.btrim(value), '\s*,\s*'::pg_catalog.text));
		END IF;
	END LOOP;
	changes := changes OPERATOR(pg_catalog.||) pg_catalog.jsonb_build_object('rules'::pg_catalog.text, rules, 'exemptions'::pg_catalog.text, (
		SELECT COALESCE(pg_catalog.jsonb_agg(pg_catalog.jsonb_strip_nulls(pg_catalog.jsonb_build_object(
			'object'::pg_catalog.text, CASE
				WHEN e.object OPERATOR(pg_catalog.~) '(^|[^\\])(\\\\)*%'::pg_catalog.text THEN e.object
				ELSE pg_catalog.regexp_replace(e.object, '\\(.)'::pg_catalog.text, '\1'::pg_catalog.text, 'g'::pg_catalog.text) END,
			'rule'::pg_catalog.text, e.rule, 'reason'::pg_catalog.text, e.reason, 'expires_at'::pg_catalog.text, e.expires_at)) ORDER BY e.created_at, e.object, e.rule), '[]'::pg_catalog.jsonb)
		FROM dbkit.exemption e WHERE NOT e.builtin));
	changes := pg_catalog.jsonb_strip_nulls(changes);
	IF rules OPERATOR(pg_catalog.=) '{}'::pg_catalog.jsonb THEN
		changes := changes OPERATOR(pg_catalog.-) 'rules'::pg_catalog.text;
	END IF;
	IF changes OPERATOR(pg_catalog.->) 'exemptions'::pg_catalog.text OPERATOR(pg_catalog.=) '[]'::pg_catalog.jsonb THEN
		changes := changes OPERATOR(pg_catalog.-) 'exemptions'::pg_catalog.text;
	END IF;
	-- ALTER DATABASE ... RESET does not take names that the library no longer has, and each session would warn of them.
	UPDATE pg_catalog.pg_db_role_setting SET setconfig = ARRAY(
		SELECT kept FROM pg_catalog.unnest(setconfig) AS kept
		WHERE kept OPERATOR(pg_catalog.!~) '^dbkit\.(rule\..*|id_style|user_table|organization_table|updated_at_functions|max_rewrite_size|max_blocking_index_size)='::pg_catalog.text)
	WHERE setdatabase OPERATOR(pg_catalog.=) database;
	DELETE FROM pg_catalog.pg_db_role_setting WHERE pg_catalog.cardinality(setconfig) OPERATOR(pg_catalog.=) 0;
	IF changes OPERATOR(pg_catalog.<>) '{}'::pg_catalog.jsonb THEN
		IF pg_catalog.to_regprocedure('@extschema@.dbkit_agreement()'::pg_catalog.text) IS NOT NULL THEN
			ALTER EXTENSION dbkit ADD FUNCTION @extschema@.dbkit_agreement();
		END IF;
		PERFORM dbkit.agree(changes);
		ALTER EXTENSION dbkit DROP FUNCTION @extschema@.dbkit_agreement();
	END IF;
END $$;

ALTER EXTENSION dbkit DROP TABLE dbkit.exemption;
DROP TABLE dbkit.exemption;
DROP FUNCTION dbkit.baseline(pg_catalog.text);
CREATE FUNCTION dbkit.baseline(relation pg_catalog.regclass DEFAULT NULL) RETURNS bigint
AS 'MODULE_PATHNAME', 'dbkit_baseline'
LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION dbkit.baseline(pg_catalog.regclass) IS
'Takes everything that dbkit.check() reports now, of one relation or of all, out of what it reports from now on, and returns how many findings these are. Each is known by its rule, its table and the name of its column, constraint, index, policy or trigger; these names follow renames, and what is fixed is forgotten. Part of the agreement. Errors: insufficient_privilege, undefined_table';

CREATE FUNCTION dbkit.unbaseline(relation pg_catalog.regclass DEFAULT NULL) RETURNS bigint
AS 'MODULE_PATHNAME', 'dbkit_unbaseline'
LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION dbkit.unbaseline(pg_catalog.regclass) IS
'Lets dbkit.check() report again what dbkit.baseline() took out, of one relation or of all, and returns how many entries that were. Errors: insufficient_privilege, undefined_table';

CREATE FUNCTION dbkit.exemption(
	OUT object pg_catalog.text, OUT rule pg_catalog.text, OUT reason pg_catalog.text, OUT expires_at pg_catalog.timestamptz, OUT builtin boolean)
RETURNS SETOF pg_catalog.record
AS 'MODULE_PATHNAME', 'dbkit_exemptions'
LANGUAGE C STABLE STRICT PARALLEL RESTRICTED ROWS 100;
COMMENT ON FUNCTION dbkit.exemption() IS
'What is exempt from the schema conventions, and why; see the view dbkit.exemption';

CREATE VIEW dbkit.exemption WITH (security_invoker = true) AS
SELECT object, rule, reason, expires_at, builtin FROM dbkit.exemption();
COMMENT ON VIEW dbkit.exemption IS
'What is exempt from the schema conventions, and why: a name or LIKE pattern for schema.name, the id of a rule or * for all, the reason, when it ends (NULL: never), and whether it comes with dbkit rather than from dbkit.exempt()';
GRANT SELECT ON dbkit.exemption TO PUBLIC;

CREATE FUNCTION dbkit.add_rule(
	id pg_catalog.text, judge pg_catalog.regprocedure, kinds pg_catalog.text[], description pg_catalog.text,
	phase pg_catalog.text DEFAULT 'commit'::pg_catalog.text)
RETURNS pg_catalog.void
AS 'MODULE_PATHNAME', 'dbkit_add_rule'
LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION dbkit.add_rule(pg_catalog.text, pg_catalog.regprocedure, pg_catalog.text[], pg_catalog.text, pg_catalog.text) IS
'Adds a rule of the team: judge is a STABLE function(object oid) RETURNS TABLE (column_name text, problem text, fix text) in SQL or PL/pgSQL that a superuser owns; it runs read-only with the rights of its owner for each object of these kinds (table, enum table, view, enum type, function, partition, materialized view) that a statement makes or changes, when the statement ends (phase statement) or before COMMIT (phase commit). Part of the agreement; the level is error unless the agreement says otherwise. For superusers. Errors: insufficient_privilege; null_value_not_allowed; duplicate_object for the id of another rule; invalid_parameter_value for an id, kind, phase or description that cannot be; undefined_function, wrong_object_type and invalid_function_definition for the function';

CREATE FUNCTION dbkit.drop_rule(id pg_catalog.text) RETURNS boolean
AS 'MODULE_PATHNAME', 'dbkit_drop_rule'
LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION dbkit.drop_rule(pg_catalog.text) IS
'Takes a rule of the team out of the agreement, with its levels, its exemptions and what the baseline has of it; its function stays. False where there is no such rule. For superusers and the owners of the extension and the database. Errors: insufficient_privilege; feature_not_supported for a rule of dbkit itself';

CREATE FUNCTION dbkit.confine_sql(role pg_catalog.name) RETURNS SETOF pg_catalog.text
AS 'MODULE_PATHNAME', 'dbkit_confine_sql' LANGUAGE C STABLE PARALLEL RESTRICTED ROWS 20;
COMMENT ON FUNCTION dbkit.confine_sql(pg_catalog.name) IS
'The statements that take from a role, and from PUBLIC, what would let it out of its tenant, for \gexec after a look: attributes such as BYPASSRLS, membership in other roles, privileges to create objects, to TRUNCATE, REFERENCE, MAINTAIN and put triggers on tables, functions that reach past row level security, and such privileges on what will be made. Before that, those who have it only through PUBLIC are granted it. No rows for a role that is confined; what it owns is named in a comment. Errors: null_value_not_allowed, undefined_object';

-- Versions of the schema
CREATE TABLE dbkit.schema_version (
	version bigint PRIMARY KEY,
	applied_at pg_catalog.timestamptz NOT NULL,
	name pg_catalog.text,
	checksum pg_catalog.text NOT NULL,
	applied_by pg_catalog.text NOT NULL,
	duration interval NOT NULL,
	undo pg_catalog.text
);
COMMENT ON TABLE dbkit.schema_version IS
'The versions of the schema that dbkit.apply() has run, one row for each; part of every dump that has data. Nobody but superusers writes it by hand';
COMMENT ON COLUMN dbkit.schema_version.version IS 'The number of the version, from 1 on without a gap';
COMMENT ON COLUMN dbkit.schema_version.applied_at IS 'When the transaction began that applied it';
COMMENT ON COLUMN dbkit.schema_version.name IS 'What it does, for people';
COMMENT ON COLUMN dbkit.schema_version.checksum IS
'The SHA-256 of its statements in UTF-8, with lines that end as on Unix and one newline at the end, as sha256sum gives it';
COMMENT ON COLUMN dbkit.schema_version.applied_by IS 'The role that applied it';
COMMENT ON COLUMN dbkit.schema_version.duration IS 'How long its statements took';
COMMENT ON COLUMN dbkit.schema_version.undo IS 'The statements that dbkit.revert() runs, or NULL';
GRANT SELECT ON dbkit.schema_version TO PUBLIC;
SELECT pg_catalog.pg_extension_config_dump('dbkit.schema_version'::pg_catalog.regclass, ''::pg_catalog.text);

CREATE FUNCTION dbkit.keep_ledger() RETURNS pg_catalog.trigger
AS 'MODULE_PATHNAME', 'dbkit_keep_ledger'
LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION dbkit.keep_ledger() IS
'Trigger function: lets nobody but superusers write the ledger by hand';

CREATE TRIGGER keep_ledger BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON dbkit.schema_version
	FOR EACH STATEMENT EXECUTE FUNCTION dbkit.keep_ledger();
ALTER TABLE dbkit.schema_version ENABLE ALWAYS TRIGGER keep_ledger;
COMMENT ON TRIGGER keep_ledger ON dbkit.schema_version IS
'What dbkit.apply() has run is not a matter of opinion';
CREATE TRIGGER ignore_replicated BEFORE INSERT OR UPDATE OR DELETE ON dbkit.schema_version
	FOR EACH ROW EXECUTE FUNCTION dbkit.ignore_replicated();
ALTER TABLE dbkit.schema_version ENABLE REPLICA TRIGGER ignore_replicated;
COMMENT ON TRIGGER ignore_replicated ON dbkit.schema_version IS
'A publication FOR ALL TABLES sends this table too, and a subscriber has its own';

CREATE FUNCTION dbkit.apply(version bigint, statements pg_catalog.text, name pg_catalog.text DEFAULT NULL,
	undo pg_catalog.text DEFAULT NULL) RETURNS boolean
AS 'MODULE_PATHNAME', 'dbkit_apply'
LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION dbkit.apply(bigint, pg_catalog.text, pg_catalog.text, pg_catalog.text) IS
'Runs the statements of the next version of the schema in this transaction, as the caller, and notes it in dbkit.schema_version with the statements that undo it; false, and nothing happens, if it was applied with these statements before. Runners wait for each other. For roles with CREATE on the database or a schema. Errors: object_not_in_prerequisite_state for other statements under a version that is applied, a gap and a lower version; serialization_failure where another transaction came first under REPEATABLE READ; invalid_transaction_termination for BEGIN and COMMIT, active_sql_transaction for CONCURRENTLY, feature_not_supported for COPY with the client, all before anything runs; insufficient_privilege, null_value_not_allowed, invalid_parameter_value, and those of the statements';

CREATE FUNCTION dbkit.revert(version bigint) RETURNS boolean
AS 'MODULE_PATHNAME', 'dbkit_revert'
LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION dbkit.revert(bigint) IS
'Runs what undoes the newest version of the schema, as the caller, and takes it out of dbkit.schema_version; false, and nothing happens, if that version is not applied. What a role has written that is not a superuser runs with its own rights only. Errors: object_not_in_prerequisite_state for another than the newest version and one without undo; insufficient_privilege for that of another role, undefined_object for that of one that is gone; serialization_failure, invalid_parameter_value, and those of the statements';

-- what the data means ---------------------------------------------------------

CREATE FUNCTION dbkit.annotate(annotations pg_catalog.jsonb) RETURNS bigint
	LANGUAGE c VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'dbkit_annotate';
COMMENT ON FUNCTION dbkit.annotate(pg_catalog.jsonb) IS
'Sets the comments on tables, views and their columns, all or none, and returns how many were another before. annotations: {"users": {"": "Who can sign in", "status": "active or suspended"}}, tables named as in SQL, columns as they are, "" for the table itself; null removes. What is not named stays. Errors: undefined_object, ambiguous_alias, wrong_object_type and insufficient_privilege, each with all names that it is about; invalid_parameter_value, null_value_not_allowed';

CREATE FUNCTION dbkit.annotations(schema pg_catalog.regnamespace DEFAULT NULL) RETURNS pg_catalog.jsonb
	LANGUAGE c STABLE CALLED ON NULL INPUT PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'dbkit_annotations';
COMMENT ON FUNCTION dbkit.annotations(pg_catalog.regnamespace) IS
'All comments on tables, views and their columns, of one schema or of all but those of the system and of extensions, as dbkit.annotate() takes them. Tables in public are named without their schema, and partitions have the comments of their root. Errors: invalid_schema_name';

CREATE FUNCTION dbkit.annotations_yaml(schema pg_catalog.regnamespace DEFAULT NULL) RETURNS pg_catalog.text
	LANGUAGE c STABLE CALLED ON NULL INPUT PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'dbkit_annotations_yaml';
COMMENT ON FUNCTION dbkit.annotations_yaml(pg_catalog.regnamespace) IS
'dbkit.annotations() as YAML, for a file that is kept with the migrations: the same bytes wherever the comments are the same, by the names of schemas, tables and columns. Errors: invalid_schema_name';

CREATE FUNCTION dbkit.describe(format pg_catalog.text DEFAULT 'markdown'::pg_catalog.text, schema pg_catalog.regnamespace DEFAULT NULL) RETURNS pg_catalog.text
	LANGUAGE c STABLE CALLED ON NULL INPUT PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'dbkit_describe';
COMMENT ON FUNCTION dbkit.describe(pg_catalog.text, pg_catalog.regnamespace) IS
'The tables and views of one schema or of all but those of the system and of extensions: what they mean, columns, keys, enum values, policies, prefixes of ids. format: markdown, for people and language models, or mermaid, an erDiagram of the tables. The values of an enum table are shown to who may read them. Errors: invalid_parameter_value for another format, invalid_schema_name, null_value_not_allowed';

CREATE FUNCTION dbkit.fingerprint() RETURNS pg_catalog.text
AS 'MODULE_PATHNAME', 'dbkit_fingerprint'
LANGUAGE C STABLE PARALLEL UNSAFE;
COMMENT ON FUNCTION dbkit.fingerprint() IS
'A hash of the schema of this database, the same in two databases of one major version of PostgreSQL exactly if their schemas are. It has two parts. The one before the space leaves out views and expressions, which PostgreSQL spells differently from version to version, so it can be compared across versions. The one behind the space is the major version and the hash of those. Owners, OIDs, the order of columns in tables, rows and what belongs to extensions do not count';

CREATE FUNCTION dbkit.schema_sql(definition pg_catalog.jsonb) RETURNS pg_catalog.text
AS 'MODULE_PATHNAME', 'dbkit_schema_sql'
LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION dbkit.schema_sql(pg_catalog.jsonb) IS
'The SQL of a schema that is described as JSON, as the agreement wants it, for a migration that runs it in one transaction: the tables in any order, then their foreign keys, then indexes, triggers and policies, then the migrations, which are SQL. {"version", "tables": [{"name", "columns": [{"name", "type", "primary_key", "unique", "nullable", "default"}], "primary_key", "foreign_keys": [{"columns", "references"}], "indexes": [{"name", "columns", "unique"}]}], "migrations"}. Makes the tables in a trial that is rolled back. Errors: invalid_parameter_value for what is no such definition, syntax_error, KD001 where there is no such table, and those of CREATE TABLE';

-- health -------------------------------------------------------------------

CREATE FUNCTION dbkit.health(
	OUT name pg_catalog.text, OUT status pg_catalog.text, OUT value pg_catalog.text, OUT threshold pg_catalog.text,
	OUT hint pg_catalog.text, OUT number pg_catalog.float8)
RETURNS SETOF pg_catalog.record
AS 'MODULE_PATHNAME', 'dbkit_health'
LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE ROWS 21;
COMMENT ON FUNCTION dbkit.health() IS
'What the server and this database are to be watched for; see the view dbkit.health';

CREATE VIEW dbkit.health WITH (security_invoker = true) AS
SELECT h.name, h.status, h.value, h.threshold, h.hint, h.number FROM dbkit.health() h;
COMMENT ON VIEW dbkit.health IS
'What the server and this database are to be watched for, one row for each check: name, status (ok, warning or critical), value, threshold (of warning and critical; dbkit.health_thresholds changes it), hint (what was found and what to do about it, and whether the caller sees less than members of pg_monitor), and the value as a number (seconds, bytes, percent, or how many). Waits for no lock';
GRANT SELECT ON dbkit.health TO PUBLIC;
