
-- The helpers of the other edition
DO LANGUAGE plpgsql $$
DECLARE
	helper pg_catalog.text;
BEGIN
	FOR helper IN
		SELECT pg_catalog.format('%s %s'::pg_catalog.text,
			CASE WHEN p.prokind OPERATOR(pg_catalog.=) 'p'::pg_catalog."char" THEN 'PROCEDURE'::pg_catalog.text ELSE 'FUNCTION'::pg_catalog.text END,
			p.oid::pg_catalog.regprocedure)
		FROM pg_catalog.pg_proc p
		JOIN pg_catalog.pg_language l ON l.oid OPERATOR(pg_catalog.=) p.prolang
		WHERE p.pronamespace OPERATOR(pg_catalog.=) 'dbkit'::pg_catalog.regnamespace::pg_catalog.oid
		AND l.lanname OPERATOR(pg_catalog.<>) 'c'::pg_catalog.name
	LOOP
		EXECUTE 'ALTER EXTENSION dbkit DROP '::pg_catalog.text OPERATOR(pg_catalog.||) helper;
		EXECUTE 'DROP '::pg_catalog.text OPERATOR(pg_catalog.||) helper;
	END LOOP;
END $$;
