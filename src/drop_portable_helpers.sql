
-- What the other edition has for itself.  It hangs together, so it goes in one statement.
DO LANGUAGE plpgsql $$
DECLARE
	helpers pg_catalog.text[];
	helper pg_catalog.text;
BEGIN
	SELECT pg_catalog.array_agg(p.oid::pg_catalog.regprocedure::pg_catalog.text) INTO helpers
	FROM pg_catalog.pg_proc p
	JOIN pg_catalog.pg_language l ON l.oid OPERATOR(pg_catalog.=) p.prolang
	WHERE p.pronamespace OPERATOR(pg_catalog.=) 'dbkit'::pg_catalog.regnamespace::pg_catalog.oid
	AND l.lanname OPERATOR(pg_catalog.<>) 'c'::pg_catalog.name;
	FOREACH helper IN ARRAY helpers LOOP
		EXECUTE 'ALTER EXTENSION dbkit DROP ROUTINE '::pg_catalog.text OPERATOR(pg_catalog.||) helper;
	END LOOP;
	EXECUTE 'DROP ROUTINE '::pg_catalog.text OPERATOR(pg_catalog.||) pg_catalog.array_to_string(helpers, ', '::pg_catalog.text);
END $$;

-- The versions of the schema, which own_portable.sql has kept
INSERT INTO dbkit.schema_version
SELECT v.version, v.applied_at, v.name, v.checksum, v.applied_by, v.duration, v.undo
FROM pg_catalog.jsonb_to_recordset(pg_catalog.current_setting('dbkit_portable.versions'::pg_catalog.text)::pg_catalog.jsonb) AS v(
	version bigint, applied_at pg_catalog.timestamptz, name pg_catalog.text, checksum pg_catalog.text, applied_by pg_catalog.text, duration interval, undo pg_catalog.text);
