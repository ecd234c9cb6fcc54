\echo Use "CREATE EXTENSION dbkit" to load this file. \quit

CREATE SCHEMA dbkit;
COMMENT ON SCHEMA dbkit IS 'dbkit: schema conventions, ids, tenant context, enum tables, named locks';
GRANT USAGE ON SCHEMA dbkit TO PUBLIC;

-- ids ---------------------------------------------------------------------

-- updated_at() ------------------------------------------------------------

-- conventions -------------------------------------------------------------

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
