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

CREATE OR REPLACE FUNCTION dbkit.rules(
	OUT id pg_catalog.text, OUT phase pg_catalog.text, OUT level pg_catalog.text, OUT description pg_catalog.text, OUT fixable boolean)
RETURNS SETOF pg_catalog.record
AS 'MODULE_PATHNAME', 'dbkit_rules'
LANGUAGE C STABLE STRICT PARALLEL RESTRICTED ROWS 20;

CREATE OR REPLACE FUNCTION dbkit.check(
	OUT rule pg_catalog.text, OUT level pg_catalog.text, OUT object_type pg_catalog.text, OUT object_identity pg_catalog.text,
	OUT column_name pg_catalog.text, OUT problem pg_catalog.text, OUT fix pg_catalog.text)
RETURNS SETOF pg_catalog.record
AS 'MODULE_PATHNAME', 'dbkit_check'
LANGUAGE C STABLE STRICT PARALLEL RESTRICTED;

CREATE OR REPLACE FUNCTION dbkit.check(
	relation pg_catalog.regclass,
	OUT rule pg_catalog.text, OUT level pg_catalog.text, OUT object_type pg_catalog.text, OUT object_identity pg_catalog.text,
	OUT column_name pg_catalog.text, OUT problem pg_catalog.text, OUT fix pg_catalog.text)
RETURNS SETOF pg_catalog.record
AS 'MODULE_PATHNAME', 'dbkit_check_relation'
LANGUAGE C STABLE STRICT PARALLEL RESTRICTED ROWS 10;

CREATE OR REPLACE FUNCTION dbkit.check_schema(
	schema pg_catalog.regnamespace,
	OUT rule pg_catalog.text, OUT level pg_catalog.text, OUT object_type pg_catalog.text, OUT object_identity pg_catalog.text,
	OUT column_name pg_catalog.text, OUT problem pg_catalog.text, OUT fix pg_catalog.text)
RETURNS SETOF pg_catalog.record
AS 'MODULE_PATHNAME', 'dbkit_check_schema'
LANGUAGE C STABLE STRICT PARALLEL RESTRICTED;

CREATE OR REPLACE FUNCTION dbkit.ignore_replicated() RETURNS pg_catalog.trigger
AS 'MODULE_PATHNAME', 'dbkit_ignore_replicated'
LANGUAGE C VOLATILE PARALLEL UNSAFE;

CREATE OR REPLACE FUNCTION dbkit.register_prefix(relation pg_catalog.regclass) RETURNS pg_catalog.void
AS 'MODULE_PATHNAME', 'dbkit_register_prefix'
LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;

CREATE OR REPLACE FUNCTION dbkit.table_of(id pg_catalog.text) RETURNS pg_catalog.regclass
AS 'MODULE_PATHNAME', 'dbkit_table_of'
LANGUAGE C STABLE STRICT PARALLEL SAFE;

CREATE OR REPLACE FUNCTION dbkit.exempt(
	object pg_catalog.text, rule pg_catalog.text, reason pg_catalog.text, expires_at pg_catalog.timestamptz DEFAULT NULL)
RETURNS pg_catalog.void
AS 'MODULE_PATHNAME', 'dbkit_exempt'
LANGUAGE C VOLATILE PARALLEL UNSAFE;

CREATE OR REPLACE FUNCTION dbkit.unexempt(object pg_catalog.text, rule pg_catalog.text) RETURNS boolean
AS 'MODULE_PATHNAME', 'dbkit_unexempt'
LANGUAGE C VOLATILE PARALLEL UNSAFE;

CREATE OR REPLACE FUNCTION dbkit.baseline(reason pg_catalog.text) RETURNS bigint
AS 'MODULE_PATHNAME', 'dbkit_baseline'
LANGUAGE C VOLATILE PARALLEL UNSAFE;

CREATE OR REPLACE FUNCTION dbkit.stale_exemptions(
	OUT object pg_catalog.text, OUT rule pg_catalog.text, OUT reason pg_catalog.text, OUT expires_at pg_catalog.timestamptz, OUT problem pg_catalog.text)
RETURNS SETOF pg_catalog.record
AS 'MODULE_PATHNAME', 'dbkit_stale_exemptions'
LANGUAGE C STABLE STRICT PARALLEL RESTRICTED;

-- A subscriber cannot read a regclass of a table that only the publisher has.
ALTER TABLE dbkit.id_prefix ALTER COLUMN relation TYPE pg_catalog.oid;
COMMENT ON COLUMN dbkit.id_prefix.relation IS 'The table that has it; cast it to regclass to see its name';

-- With both columns, the rows of the organization.
COMMENT ON FUNCTION dbkit.protect(pg_catalog.regclass, pg_catalog.name, pg_catalog.name, pg_catalog.name) IS
'enable and force row level security on a table, its partitions and children, and create or replace the policy <role>_isolation on each: shows the rows whose organization column equals dbkit.organization_id(), or in a table without one those whose user column equals dbkit.user_id(); if columns are named, those count and no other, and rows that match either of two are shown; a column that is NULL defaults to the first of the agreement''s organization_columns or user_columns that the table has (id on the tables of organizations and users themselves), an empty one is left out; for the table''s owner';

-- A new partition is protected as its parent is.
COMMENT ON FUNCTION dbkit.ddl_command_end() IS
'Event trigger function: rejects DDL that breaks the schema conventions with SQLSTATE KD001, and protects a new partition or child as its parent is';
COMMENT ON EVENT TRIGGER dbkit_ddl_command_end IS
'Rejects DDL that breaks the schema conventions, and gives new partitions the row level security of their parent. ALTER EVENT TRIGGER dbkit_ddl_command_end DISABLE switches that off';
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
'Everything in the database that breaks a schema convention at level warning or above, one row per finding; fix is SQL that fixes it, NULL where there is none. The same as CREATE would be rejected for, whatever dbkit.enforce says';
COMMENT ON FUNCTION dbkit.register_prefix(pg_catalog.regclass) IS
'Brings the prefix registry up to date with a table that was created or changed while the event triggers were disabled, as dbkit.check() advises; what is dropped meanwhile has no prefix. Errors: read_only_sql_transaction';
