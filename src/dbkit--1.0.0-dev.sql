\echo Use "CREATE EXTENSION dbkit" to load this file. \quit

CREATE SCHEMA dbkit;
COMMENT ON SCHEMA dbkit IS 'dbkit: schema conventions, ids, tenant context, enum tables, named locks';
GRANT USAGE ON SCHEMA dbkit TO PUBLIC;

-- ids ---------------------------------------------------------------------

-- updated_at() ------------------------------------------------------------

CREATE FUNCTION updated_at() RETURNS trigger
	AS 'MODULE_PATHNAME'
	LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION updated_at() IS
'BEFORE UPDATE FOR EACH ROW trigger: sets updated_at, or the timestamptz column named by its only argument, to the transaction''s timestamp (now()). Raises trigger_protocol_violated for any other use and for a column that is generated or of another type, undefined_column if there is none.';

-- conventions -------------------------------------------------------------

-- tenant context ----------------------------------------------------------

-- enum tables -------------------------------------------------------------

-- named locks -------------------------------------------------------------
