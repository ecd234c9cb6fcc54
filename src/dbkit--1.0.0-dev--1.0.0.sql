\echo Use "ALTER EXTENSION dbkit UPDATE" to load this file. \quit

CREATE TYPE dbkit.regtable;
CREATE FUNCTION dbkit.regtable_in(cstring) RETURNS dbkit.regtable
AS 'MODULE_PATHNAME'
LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION dbkit.regtable_in(cstring) IS 'Input of the type dbkit.regtable';
CREATE FUNCTION dbkit.regtable_out(dbkit.regtable) RETURNS cstring
AS 'MODULE_PATHNAME'
LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION dbkit.regtable_out(dbkit.regtable) IS 'Output of the type dbkit.regtable';
CREATE FUNCTION dbkit.regtable_recv(internal) RETURNS dbkit.regtable
AS 'MODULE_PATHNAME'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION dbkit.regtable_recv(internal) IS 'Binary input of the type dbkit.regtable';
CREATE FUNCTION dbkit.regtable_send(dbkit.regtable) RETURNS bytea
AS 'MODULE_PATHNAME'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION dbkit.regtable_send(dbkit.regtable) IS 'Binary output of the type dbkit.regtable';
CREATE TYPE dbkit.regtable (
	INPUT = dbkit.regtable_in,
	OUTPUT = dbkit.regtable_out,
	RECEIVE = dbkit.regtable_recv,
	SEND = dbkit.regtable_send,
	LIKE = pg_catalog.regclass,
	CATEGORY = 'N'
);
COMMENT ON TYPE dbkit.regtable IS
'A table of this database, as in regclass. A replication worker, which has the names of the publisher''s tables, reads any of them as none';
CREATE CAST (dbkit.regtable AS pg_catalog.oid) WITHOUT FUNCTION AS IMPLICIT;
COMMENT ON CAST (dbkit.regtable AS pg_catalog.oid) IS 'The OID of the table';
CREATE CAST (dbkit.regtable AS pg_catalog.regclass) WITHOUT FUNCTION AS IMPLICIT;
COMMENT ON CAST (dbkit.regtable AS pg_catalog.regclass) IS 'The table';
CREATE CAST (pg_catalog.oid AS dbkit.regtable) WITHOUT FUNCTION;
COMMENT ON CAST (pg_catalog.oid AS dbkit.regtable) IS 'The table with that OID';
CREATE CAST (pg_catalog.regclass AS dbkit.regtable) WITHOUT FUNCTION;
COMMENT ON CAST (pg_catalog.regclass AS dbkit.regtable) IS 'That table';

ALTER TABLE dbkit.id_prefix ALTER COLUMN relation TYPE dbkit.regtable USING relation::pg_catalog.text::dbkit.regtable;
