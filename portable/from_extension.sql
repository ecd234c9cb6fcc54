-- From the C library to the edition without C, in one database and without touching a table:
-- psql -1 -v ON_ERROR_STOP=1 -f from_extension.sql, as the owner of the extension.
--
-- The functions keep their OIDs, so that no default, policy, constraint, trigger or index that
-- calls them has to change.  What the other edition does not have goes with the extension.
-- Everything belongs to the owner of the database afterwards.

SET LOCAL search_path = pg_catalog, pg_temp;
-- What the ledger has goes into the new one.
SELECT set_config('dbkit_portable.versions', (SELECT coalesce(jsonb_agg(to_jsonb(v)), '[]')::text FROM dbkit.schema_version v), true) \g (format=unaligned tuples_only=on) /dev/null
SELECT quote_ident(nspname) AS schema FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE extname = 'dbkit' \gset
DO $$
DECLARE
	member text;
BEGIN
	FOR member IN
		SELECT type || ' ' || identity
		FROM pg_depend d CROSS JOIN pg_identify_object(d.classid, d.objid, d.objsubid)
		WHERE d.refclassid = 'pg_extension'::regclass AND d.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'dbkit') AND d.deptype = 'e'
			AND (type IN ('schema', 'view') OR type IN ('function', 'procedure')
				AND (SELECT prorettype <> 'event_trigger'::regtype AND proname <> 'ignore_replicated' FROM pg_proc WHERE oid = d.objid))
	LOOP
		EXECUTE 'ALTER EXTENSION dbkit DROP ' || member;
	END LOOP;
END $$;
DROP EXTENSION dbkit;
SELECT set_config('search_path', :'schema', true) \g (format=unaligned tuples_only=on) /dev/null
\ir dbkit.sql
SET LOCAL search_path = pg_catalog, pg_temp;
INSERT INTO dbkit.schema_version SELECT * FROM jsonb_populate_recordset(NULL::dbkit.schema_version, current_setting('dbkit_portable.versions')::jsonb);
DO $$
DECLARE
	object record;
	left_over oid[] := ARRAY(SELECT p.oid FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang
		WHERE p.pronamespace = 'dbkit'::regnamespace AND l.lanname = 'c');
BEGIN
	-- What only the C library has, and its views over that
	FOR object IN
		SELECT DISTINCT r.ev_class::regclass AS identity
		FROM pg_depend d JOIN pg_rewrite r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid JOIN pg_class c ON c.oid = r.ev_class
		WHERE d.refclassid = 'pg_proc'::regclass AND d.refobjid = ANY (left_over) AND c.relnamespace = 'dbkit'::regnamespace
	LOOP
		EXECUTE format('DROP VIEW %s', object.identity);
	END LOOP;
	EXECUTE 'DROP ROUTINE ' || (SELECT string_agg(oid::regprocedure::text, ', ') FROM unnest(left_over) AS oid);

	FOR object IN
		SELECT 'ROUTINE' AS type, oid::regprocedure::text AS identity FROM pg_proc
		WHERE pronamespace = 'dbkit'::regnamespace OR pronamespace = dbkit.installed_schema() AND proname IN ('generate_id', 'updated_at')
		UNION ALL SELECT CASE relkind WHEN 'v' THEN 'VIEW' ELSE 'TABLE' END, oid::regclass::text FROM pg_class WHERE relnamespace = 'dbkit'::regnamespace AND relkind IN ('v', 'r')
		UNION ALL SELECT 'SCHEMA', 'dbkit'
	LOOP
		EXECUTE format('ALTER %s %s OWNER TO %I', object.type, object.identity,
			(SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = current_database()));
	END LOOP;
END $$;
