\echo Use "CREATE EXTENSION dbkit" to load this file. \quit

CREATE SCHEMA dbkit;
COMMENT ON SCHEMA dbkit IS 'dbkit: schema conventions, ids, tenant context, enum tables, named locks';
GRANT USAGE ON SCHEMA dbkit TO PUBLIC;

-- ids ---------------------------------------------------------------------

CREATE FUNCTION generate_id(prefix text) RETURNS text
	LANGUAGE c VOLATILE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION generate_id(text) IS
'a new id: the prefix, an underscore and 26 characters that spell a UUIDv7 (TypeID v0.3); greater than all earlier ids of this session. prefix: 0 to 63 characters of [a-z_], no underscore at either end, else invalid_parameter_value';

CREATE FUNCTION dbkit.generate_id_at(prefix text, at timestamptz) RETURNS text
	LANGUAGE c VOLATILE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION dbkit.generate_id_at(text, timestamptz) IS
'an id as if made at that time (to the microsecond), for backfills. prefix: as for generate_id; at: from 1970 to the year 10889, else datetime_field_overflow';

CREATE FUNCTION dbkit.is_id(id text, prefix text DEFAULT NULL) RETURNS boolean
	LANGUAGE c IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION dbkit.is_id(text, text) IS
'whether the value is a well-formed id, of that prefix unless it is NULL; NULL for NULL; raises nothing, so it can stand in a CHECK';

CREATE FUNCTION dbkit.id_prefix(id text) RETURNS text
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION dbkit.id_prefix(text) IS
'the prefix of an id, without its underscore; invalid_text_representation for what is not an id';

CREATE FUNCTION dbkit.id_uuid(id text) RETURNS uuid
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION dbkit.id_uuid(text) IS
'the UUID that an id spells; invalid_text_representation for what is not an id';

CREATE FUNCTION dbkit.id_from_uuid(prefix text, uuid uuid) RETURNS text
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION dbkit.id_from_uuid(text, uuid) IS
'the id that spells a UUID of any version. prefix: as for generate_id';

CREATE FUNCTION dbkit.id_timestamp(id text) RETURNS timestamptz
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION dbkit.id_timestamp(text) IS
'when an id was made, to the millisecond; NULL if its UUID is not of version 7; invalid_text_representation for what is not an id';

CREATE FUNCTION dbkit.id_lower_bound(prefix text, at timestamptz) RETURNS text
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION dbkit.id_lower_bound(text, timestamptz) IS
'the smallest id of the millisecond of that time: id >= dbkit.id_lower_bound(...) can use an index. prefix: as for generate_id; at: from 1970 to the year 10889, else datetime_field_overflow';

CREATE FUNCTION dbkit.id_upper_bound(prefix text, at timestamptz) RETURNS text
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION dbkit.id_upper_bound(text, timestamptz) IS
'the largest id of the millisecond of that time: id <= dbkit.id_upper_bound(...) can use an index. prefix: as for generate_id; at: from 1970 to the year 10889, else datetime_field_overflow';

-- updated_at() ------------------------------------------------------------

CREATE FUNCTION updated_at() RETURNS trigger
	AS 'MODULE_PATHNAME'
	LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION updated_at() IS
'BEFORE UPDATE FOR EACH ROW trigger: sets updated_at, or the timestamptz column named by its only argument, to the transaction''s timestamp (now()). Raises trigger_protocol_violated for any other use and for a column that is generated or of another type, undefined_column if there is none.';

-- conventions -------------------------------------------------------------

CREATE FUNCTION dbkit.rules(
	OUT id text, OUT phase text, OUT level text, OUT description text, OUT fixable boolean)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'rules'
LANGUAGE C STABLE STRICT PARALLEL RESTRICTED ROWS 20;
COMMENT ON FUNCTION dbkit.rules() IS
'The schema conventions with their levels in this session; see the view dbkit.rules';

CREATE VIEW dbkit.rules WITH (security_invoker = true) AS
SELECT id, phase, level, description, fixable FROM dbkit.rules();
COMMENT ON VIEW dbkit.rules IS
'The schema conventions: id, phase (statement: judged when a statement ends), level in this session (the setting dbkit.rule.<id>), what it demands, and whether dbkit.check() has a fix for it';
GRANT SELECT ON dbkit.rules TO PUBLIC;

CREATE FUNCTION dbkit.check(
	OUT rule text, OUT level text, OUT object_type text, OUT object_identity text,
	OUT column_name text, OUT problem text, OUT fix text)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'check_database'
LANGUAGE C STABLE STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION dbkit.check() IS
'Everything in the database that breaks a schema convention at level warning or above, one row per finding; fix is SQL that mends it, NULL where there is none. The same as CREATE would be rejected for, whatever dbkit.enforce says';

CREATE FUNCTION dbkit.check(
	relation regclass,
	OUT rule text, OUT level text, OUT object_type text, OUT object_identity text,
	OUT column_name text, OUT problem text, OUT fix text)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'check_relation'
LANGUAGE C STABLE STRICT PARALLEL RESTRICTED ROWS 10;
COMMENT ON FUNCTION dbkit.check(regclass) IS
'dbkit.check() for one table or view. Errors: undefined_table';

CREATE FUNCTION dbkit.check_schema(
	schema regnamespace,
	OUT rule text, OUT level text, OUT object_type text, OUT object_identity text,
	OUT column_name text, OUT problem text, OUT fix text)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'check_schema'
LANGUAGE C STABLE STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION dbkit.check_schema(regnamespace) IS
'dbkit.check() for the tables, views and types of one schema. Errors: undefined_schema';

CREATE TABLE dbkit.id_prefix (
	prefix text COLLATE "C" PRIMARY KEY,
	relation regclass NOT NULL UNIQUE,
	contested boolean NOT NULL
);
COMMENT ON TABLE dbkit.id_prefix IS
'The prefix registry: which table the ids with a prefix belong to. Kept up by the event triggers, so not part of a dump: a restore fills it';
COMMENT ON COLUMN dbkit.id_prefix.prefix IS 'The prefix, without the underscore';
COMMENT ON COLUMN dbkit.id_prefix.relation IS 'The table that has it';
COMMENT ON COLUMN dbkit.id_prefix.contested IS
'Whether another table has used the same prefix, which only a rule id_prefix at level off or warning allows';
GRANT SELECT ON dbkit.id_prefix TO PUBLIC;

CREATE FUNCTION dbkit.table_of(id text) RETURNS regclass
AS 'MODULE_PATHNAME'
LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION dbkit.table_of(text) IS
'The table whose ids have the prefix of this id, or NULL. Errors: invalid_text_representation for a malformed id';

CREATE FUNCTION dbkit.ddl_command_end() RETURNS event_trigger
AS 'MODULE_PATHNAME'
LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION dbkit.ddl_command_end() IS
'Event trigger function: rejects DDL that breaks the schema conventions with SQLSTATE KD001';

CREATE FUNCTION dbkit.sql_drop() RETURNS event_trigger
AS 'MODULE_PATHNAME'
LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION dbkit.sql_drop() IS
'Event trigger function: frees the id prefixes of dropped tables';

-- tenant context ----------------------------------------------------------

CREATE FUNCTION dbkit.enter(user_id text, organization_id text) RETURNS void
AS 'MODULE_PATHNAME', 'dbkit_enter' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION dbkit.enter(text, text) IS
'bind the transaction to a user and an organization, either of which may be NULL; once per transaction and not in a subtransaction (object_not_in_prerequisite_state); insufficient_privilege where dbkit.context_key_file is set';

CREATE FUNCTION dbkit.enter(user_id text, organization_id text, signature text) RETURNS void
AS 'MODULE_PATHNAME', 'dbkit_enter' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION dbkit.enter(text, text, text) IS
'bind the transaction to a user and an organization, with a signature: 64 lower-case hexadecimal digits, the HMAC-SHA256 under the key in dbkit.context_key_file of the netstrings of database, role, user, organization and nonce; insufficient_privilege if it is not valid';

CREATE FUNCTION dbkit.nonce() RETURNS text
AS 'MODULE_PATHNAME', 'dbkit_nonce' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION dbkit.nonce() IS
'a new nonce, 32 hexadecimal digits, for the signature of the next dbkit.enter on this connection; it replaces an earlier one and is good for one call';

CREATE FUNCTION dbkit.user_id() RETURNS text
AS 'MODULE_PATHNAME', 'dbkit_user_id' LANGUAGE C STABLE LEAKPROOF PARALLEL SAFE;
COMMENT ON FUNCTION dbkit.user_id() IS
'the user that dbkit.enter bound the transaction to, or NULL';

CREATE FUNCTION dbkit.organization_id() RETURNS text
AS 'MODULE_PATHNAME', 'dbkit_organization_id' LANGUAGE C STABLE LEAKPROOF PARALLEL SAFE;
COMMENT ON FUNCTION dbkit.organization_id() IS
'the organization that dbkit.enter bound the transaction to, or NULL';

CREATE FUNCTION dbkit.protect(relation regclass, user_column name DEFAULT NULL,
  organization_column name DEFAULT NULL, role name DEFAULT 'customer') RETURNS void
AS 'MODULE_PATHNAME', 'dbkit_protect' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION dbkit.protect(regclass, name, name, name) IS
'enable and force row level security on a table, its partitions and children, and create or replace the policy <role>_isolation on each: the columns must equal dbkit.user_id() and dbkit.organization_id(); a column that is NULL defaults to user_id or organization_id where present (id on the two tables themselves), an empty one is left out; for the table''s owner';

-- enum tables -------------------------------------------------------------

-- named locks -------------------------------------------------------------

-- event triggers: last, so that they do not judge this script ---------------

CREATE EVENT TRIGGER dbkit_ddl_command_end ON ddl_command_end
	EXECUTE FUNCTION dbkit.ddl_command_end();
COMMENT ON EVENT TRIGGER dbkit_ddl_command_end IS
'Rejects DDL that breaks the schema conventions. ALTER EVENT TRIGGER dbkit_ddl_command_end DISABLE switches that off';

CREATE EVENT TRIGGER dbkit_sql_drop ON sql_drop
	EXECUTE FUNCTION dbkit.sql_drop();
COMMENT ON EVENT TRIGGER dbkit_sql_drop IS
'Keeps the prefix registry right when tables are dropped';
