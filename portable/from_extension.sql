-- From the C library to the edition without C, in one database and without touching a table:
-- psql -1 -v ON_ERROR_STOP=1 -f from_extension.sql, as the owner of the extension.
--
-- The functions keep their OIDs, so that no default, policy, constraint, trigger or index that
-- calls them has to change.  What the other edition does not have goes with the extension.
-- Everything belongs to the owner of the database afterwards.

SET LOCAL search_path = pg_catalog, pg_temp;
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
DO $$
DECLARE
	object record;
BEGIN
	FOR object IN
		SELECT CASE p.prokind WHEN 'p' THEN 'PROCEDURE' ELSE 'FUNCTION' END AS type, p.oid::regprocedure::text AS identity, l.lanname = 'c' AS is_left
		FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang
		WHERE p.pronamespace = 'dbkit'::regnamespace OR p.pronamespace = dbkit.installed_schema() AND p.proname IN ('generate_id', 'updated_at')
		UNION ALL SELECT 'VIEW', oid::regclass::text, false FROM pg_class WHERE relnamespace = 'dbkit'::regnamespace AND relkind = 'v'
		UNION ALL SELECT 'SCHEMA', 'dbkit', false
	LOOP
		IF object.is_left THEN
			EXECUTE format('DROP %s %s', object.type, object.identity);
		ELSE
			EXECUTE format('ALTER %s %s OWNER TO %I', object.type, object.identity,
				(SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = current_database()));
		END IF;
	END LOOP;
END $$;
