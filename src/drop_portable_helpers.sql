
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
