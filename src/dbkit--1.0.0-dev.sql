\echo Use "CREATE EXTENSION dbkit" to load this file. \quit

CREATE SCHEMA dbkit;
COMMENT ON SCHEMA dbkit IS 'dbkit: schema conventions, ids, tenant context, enum tables, named locks';
GRANT USAGE ON SCHEMA dbkit TO PUBLIC;

-- ids ---------------------------------------------------------------------

-- updated_at() ------------------------------------------------------------

-- conventions -------------------------------------------------------------

-- tenant context ----------------------------------------------------------

-- enum tables -------------------------------------------------------------

-- named locks -------------------------------------------------------------

CREATE FUNCTION dbkit.lock_key(name text) RETURNS bigint
LANGUAGE C IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'dbkit_lock_key';
COMMENT ON FUNCTION dbkit.lock_key(text) IS
'The key of a named lock: the first 8 bytes, big-endian, of the SHA-256 of the name in UTF-8. pg_advisory_lock(dbkit.lock_key(name)) takes the same lock. Names have 1 to 1024 bytes of UTF-8.';

CREATE FUNCTION dbkit.lock(name text, timeout interval DEFAULT NULL) RETURNS void
LANGUAGE C VOLATILE PARALLEL RESTRICTED AS 'MODULE_PATHNAME', 'dbkit_lock';
COMMENT ON FUNCTION dbkit.lock(text, interval) IS
'Waits for a named lock and holds it until the end of the transaction. After timeout (instead of lock_timeout; 0: at once) the error lock_not_available names the holder.';

CREATE FUNCTION dbkit.lock_shared(name text, timeout interval DEFAULT NULL) RETURNS void
LANGUAGE C VOLATILE PARALLEL RESTRICTED AS 'MODULE_PATHNAME', 'dbkit_lock_shared';
COMMENT ON FUNCTION dbkit.lock_shared(text, interval) IS
'Like dbkit.lock, but several may hold the lock shared at a time, and none exclusively meanwhile.';

CREATE FUNCTION dbkit.try_lock(name text) RETURNS boolean
LANGUAGE C VOLATILE PARALLEL RESTRICTED AS 'MODULE_PATHNAME', 'dbkit_try_lock';
COMMENT ON FUNCTION dbkit.try_lock(text) IS
'Takes a named lock until the end of the transaction if it is free; false, without waiting, if it is not.';

CREATE FUNCTION dbkit.try_lock_shared(name text) RETURNS boolean
LANGUAGE C VOLATILE PARALLEL RESTRICTED AS 'MODULE_PATHNAME', 'dbkit_try_lock_shared';
COMMENT ON FUNCTION dbkit.try_lock_shared(text) IS
'Like dbkit.try_lock, but shared with others who take it shared.';

CREATE PROCEDURE dbkit.session_lock(name text, timeout interval DEFAULT NULL)
LANGUAGE C AS 'MODULE_PATHNAME', 'dbkit_session_lock';
COMMENT ON PROCEDURE dbkit.session_lock(text, interval) IS
'Waits for a named lock without holding a snapshot, and holds it until dbkit.session_unlock or the end of the session. Not inside a transaction block (active_sql_transaction), and not behind a transaction pooler. The timeout is that of dbkit.lock.';

CREATE PROCEDURE dbkit.session_lock_shared(name text, timeout interval DEFAULT NULL)
LANGUAGE C AS 'MODULE_PATHNAME', 'dbkit_session_lock_shared';
COMMENT ON PROCEDURE dbkit.session_lock_shared(text, interval) IS
'Like dbkit.session_lock, but several may hold the lock shared at a time, and none exclusively meanwhile.';

CREATE FUNCTION dbkit.try_session_lock(name text) RETURNS boolean
LANGUAGE C VOLATILE PARALLEL RESTRICTED AS 'MODULE_PATHNAME', 'dbkit_try_session_lock';
COMMENT ON FUNCTION dbkit.try_session_lock(text) IS
'Takes a named lock until dbkit.session_unlock or the end of the session if it is free; false, without waiting, if it is not.';

CREATE FUNCTION dbkit.try_session_lock_shared(name text) RETURNS boolean
LANGUAGE C VOLATILE PARALLEL RESTRICTED AS 'MODULE_PATHNAME', 'dbkit_try_session_lock_shared';
COMMENT ON FUNCTION dbkit.try_session_lock_shared(text) IS
'Like dbkit.try_session_lock, but shared with others who take it shared.';

CREATE FUNCTION dbkit.session_unlock(name text) RETURNS boolean
LANGUAGE C VOLATILE PARALLEL RESTRICTED AS 'MODULE_PATHNAME', 'dbkit_session_unlock';
COMMENT ON FUNCTION dbkit.session_unlock(text) IS
'Undoes one dbkit.session_lock or try_session_lock; a lock taken twice must be unlocked twice. False, with a warning, if this session does not hold it.';

CREATE FUNCTION dbkit.session_unlock_shared(name text) RETURNS boolean
LANGUAGE C VOLATILE PARALLEL RESTRICTED AS 'MODULE_PATHNAME', 'dbkit_session_unlock_shared';
COMMENT ON FUNCTION dbkit.session_unlock_shared(text) IS
'Undoes one dbkit.session_lock_shared or try_session_lock_shared, like dbkit.session_unlock.';

CREATE FUNCTION dbkit.lock_status(
	OUT name text, OUT key bigint, OUT mode text, OUT granted boolean,
	OUT pid integer, OUT waiting_since timestamptz) RETURNS SETOF record
LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED AS 'MODULE_PATHNAME', 'dbkit_lock_status';
COMMENT ON FUNCTION dbkit.lock_status() IS
'What the lock manager knows for the view dbkit.locks: advisory locks on a bigint key in this database.';

CREATE VIEW dbkit.locks WITH (security_invoker = true) AS
SELECT l.name, l.key, l.mode, l.granted, l.pid, a.application_name, l.waiting_since,
	CASE WHEN l.granted THEN '{}' ELSE pg_catalog.pg_blocking_pids(l.pid) END AS blocked_by
FROM dbkit.lock_status() l
LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid OPERATOR(pg_catalog.=) l.pid;
COMMENT ON VIEW dbkit.locks IS
'The advisory locks on a bigint key in this database, one row per holder and waiter: name (NULL where unknown, or where pg_stat_activity would hide the query), key, mode, granted, pid (NULL: a prepared transaction), application_name, waiting_since, blocked_by (pids).';
GRANT SELECT ON dbkit.locks TO PUBLIC;
