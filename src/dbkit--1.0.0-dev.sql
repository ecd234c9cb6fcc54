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
