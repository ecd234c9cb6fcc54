\echo Use "ALTER EXTENSION dbkit UPDATE" to load this file. \quit

-- A subscriber cannot read a regclass of a table that only the publisher has.
ALTER TABLE dbkit.id_prefix ALTER COLUMN relation TYPE pg_catalog.oid;
COMMENT ON COLUMN dbkit.id_prefix.relation IS 'The table that has it; cast it to regclass to see its name';
