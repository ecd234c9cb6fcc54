\echo Use "ALTER EXTENSION dbkit UPDATE" to load this file. \quit

DROP VIEW dbkit.id_prefix;

-- All gets its new owner here, in the transaction that replaces its text: nobody sees the one without
-- the other.  A rule that the former owner has put on a view would get the rights of the new one.
DO LANGUAGE plpgsql $$
DECLARE
	member pg_catalog.text;
BEGIN
	FOR member IN
		SELECT pg_catalog.format('%s %s'::pg_catalog.text, i.type, i.identity)
		FROM pg_catalog.pg_depend d
		JOIN pg_catalog.pg_extension e ON e.oid OPERATOR(pg_catalog.=) d.refobjid
		CROSS JOIN pg_catalog.pg_identify_object(d.classid, d.objid, d.objsubid) i
		WHERE e.extname OPERATOR(pg_catalog.=) 'dbkit'::pg_catalog.name
		AND d.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_extension'::pg_catalog.regclass::pg_catalog.oid
		AND d.deptype OPERATOR(pg_catalog.=) 'e'::pg_catalog."char"
		AND i.type OPERATOR(pg_catalog.=) ANY ('{function,procedure,view}'::pg_catalog.text[])
	LOOP
		EXECUTE pg_catalog.format('ALTER %s OWNER TO CURRENT_USER'::pg_catalog.text, member);
	END LOOP;
	FOR member IN
		SELECT pg_catalog.format('%I ON %s'::pg_catalog.text, r.rulename, r.ev_class::pg_catalog.regclass)
		FROM pg_catalog.pg_rewrite r
		JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) r.ev_class
		WHERE c.relnamespace OPERATOR(pg_catalog.=) 'dbkit'::pg_catalog.regnamespace::pg_catalog.oid
		AND r.rulename OPERATOR(pg_catalog.<>) '_RETURN'::pg_catalog.name
		AND pg_catalog.pg_get_userbyid(c.relowner) OPERATOR(pg_catalog.=) CURRENT_USER
	LOOP
		EXECUTE 'DROP RULE '::pg_catalog.text OPERATOR(pg_catalog.||) member;
	END LOOP;
END $$;
