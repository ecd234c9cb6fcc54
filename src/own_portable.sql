\echo Use "ALTER EXTENSION dbkit UPDATE" to load this file. \quit

DROP VIEW dbkit.id_prefix;

-- The versions of the schema are kept in a setting meanwhile.  Nothing of the owner's runs where the table is as the
-- other edition made it; his is what he has applied, whatever the table says.
LOCK TABLE dbkit.schema_version;
DO LANGUAGE plpgsql $$
DECLARE
	columns pg_catalog.text;
BEGIN
	SELECT pg_catalog.string_agg(pg_catalog.format('%s %s'::pg_catalog.text, a.attname, a.atttypid), ', '::pg_catalog.text ORDER BY a.attnum) INTO columns
	FROM pg_catalog.pg_attribute a
	JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) a.attrelid
	WHERE c.oid OPERATOR(pg_catalog.=) 'dbkit.schema_version'::pg_catalog.regclass::pg_catalog.oid
	AND c.relkind OPERATOR(pg_catalog.=) 'r'::pg_catalog."char" AND NOT c.relhassubclass
	AND a.attnum OPERATOR(pg_catalog.>) 0;
	IF columns IS NULL OR columns OPERATOR(pg_catalog.<>) 'version 20, applied_at 1184, name 25, checksum 25, applied_by 25, duration 1186, undo 25'::pg_catalog.text THEN
		RAISE EXCEPTION USING ERRCODE = '55000'::pg_catalog.text, MESSAGE = 'table "dbkit.schema_version" has been altered'::pg_catalog.text,
			HINT = 'Drop it, or give it the columns that portable/dbkit.sql gives it.'::pg_catalog.text;
	END IF;
	PERFORM pg_catalog.set_config('dbkit_portable.versions'::pg_catalog.text, (
		SELECT COALESCE(pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
			'version'::pg_catalog.text, v.version, 'applied_at'::pg_catalog.text, v.applied_at, 'name'::pg_catalog.text, v.name, 'checksum'::pg_catalog.text, v.checksum,
			'applied_by'::pg_catalog.text, pg_catalog.pg_get_userbyid(c.relowner), 'duration'::pg_catalog.text, v.duration, 'undo'::pg_catalog.text, v.undo)), '[]'::pg_catalog.jsonb)::pg_catalog.text
		FROM dbkit.schema_version v
		JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) v.tableoid), true);
END $$;
DROP TABLE dbkit.schema_version;

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
