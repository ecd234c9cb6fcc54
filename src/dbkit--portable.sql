\echo Use "CREATE EXTENSION dbkit VERSION 'portable'" to load this file. \quit

-- Take over what portable/dbkit.sql has made, for ALTER EXTENSION dbkit UPDATE to replace it by
-- the C library.  The functions keep their OIDs, so that no default, policy, constraint, trigger
-- or index that calls them has to change.  They keep their owner as long as they are his: what
-- he has made SECURITY DEFINER would run with the rights of a new one.

DO LANGUAGE plpgsql $$
DECLARE
	object pg_catalog.text;
	grantee pg_catalog.text;
BEGIN
	IF pg_catalog.to_regprocedure('dbkit.installed_schema()'::pg_catalog.text) IS NULL
		OR pg_catalog.to_regprocedure('@extschema@.generate_id(text)'::pg_catalog.text) IS NULL THEN
		RAISE EXCEPTION USING ERRCODE = '42704'::pg_catalog.text, MESSAGE = 'there is no portable edition of dbkit to take over'::pg_catalog.text,
			DETAIL = 'Its functions would be in the schemas "dbkit" and "@extschema@".'::pg_catalog.text,
			HINT = 'Use CREATE EXTENSION dbkit without VERSION, or name the schema of generate_id() with SCHEMA.'::pg_catalog.text;
	END IF;
	FOR object IN
		SELECT 'SCHEMA dbkit'::pg_catalog.text
		UNION ALL
		SELECT pg_catalog.format('ROUTINE %s'::pg_catalog.text, oid::pg_catalog.regprocedure)
		FROM pg_catalog.pg_proc
		WHERE pronamespace OPERATOR(pg_catalog.=) 'dbkit'::pg_catalog.regnamespace::pg_catalog.oid
		OR oid OPERATOR(pg_catalog.=) ANY (ARRAY['@extschema@.generate_id(text)'::pg_catalog.regprocedure::pg_catalog.oid,
			'@extschema@.updated_at()'::pg_catalog.regprocedure::pg_catalog.oid])
		UNION ALL
		SELECT pg_catalog.format('VIEW %s'::pg_catalog.text, oid::pg_catalog.regclass)
		FROM pg_catalog.pg_class
		WHERE relnamespace OPERATOR(pg_catalog.=) 'dbkit'::pg_catalog.regnamespace::pg_catalog.oid
		AND relname OPERATOR(pg_catalog.=) ANY ('{rules,exemption,stale_exemptions,locks,id_prefix}'::pg_catalog.name[])
	LOOP
		EXECUTE 'ALTER EXTENSION dbkit ADD '::pg_catalog.text OPERATOR(pg_catalog.||) object;
	END LOOP;
	ALTER SCHEMA dbkit OWNER TO CURRENT_USER;
	FOR grantee IN
		SELECT CASE WHEN acl.grantee OPERATOR(pg_catalog.=) 0::pg_catalog.oid THEN 'PUBLIC'::pg_catalog.text
			ELSE acl.grantee::pg_catalog.regrole::pg_catalog.text END
		FROM pg_catalog.pg_namespace n CROSS JOIN pg_catalog.aclexplode(n.nspacl) acl
		WHERE n.nspname OPERATOR(pg_catalog.=) 'dbkit'::pg_catalog.name
		AND acl.privilege_type OPERATOR(pg_catalog.=) 'CREATE'::pg_catalog.text AND acl.grantee OPERATOR(pg_catalog.<>) n.nspowner
	LOOP
		EXECUTE 'REVOKE CREATE ON SCHEMA dbkit FROM '::pg_catalog.text OPERATOR(pg_catalog.||) grantee;
	END LOOP;
END $$;
