-- What an application asks of a database, one row for each query:
--
--   roles       who asks it: app, owner, reader
--   name        what it is
--   tables      the tables that it is about
--   sql         one statement
--   afterwards  a SELECT that tells what it did, or NULL
--   is_query    whether sql is a query that can be prepared
WITH own AS (
	SELECT c.oid, relkind, relname, format('%I.%I', nspname, relname) AS name
	FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
	WHERE relkind IN ('r', 'p', 'v', 'm') AND nspname !~ '^(pg_|information_schema$|dbkit)'
		AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
), columns AS (
	SELECT attrelid AS oid, string_agg(quote_ident(attname), ', ' ORDER BY attnum) AS list,
		min(quote_ident(attname)) FILTER (WHERE attgenerated = '' AND attidentity <> 'a') AS one
	FROM pg_attribute WHERE attnum > 0 AND NOT attisdropped GROUP BY attrelid
), used AS (
	-- what a view reads, also through other views
	WITH RECURSIVE reads(view, oid) AS (
		SELECT ev_class, refobjid FROM pg_rewrite r JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid AND d.refclassid = 'pg_class'::regclass
		WHERE ev_class <> refobjid
		UNION SELECT reads.view, d.refobjid FROM reads JOIN pg_rewrite r ON r.ev_class = reads.oid
			JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid AND d.refclassid = 'pg_class'::regclass)
	SELECT view, array_agg(DISTINCT own.name) AS tables FROM reads JOIN own USING (oid) GROUP BY view
), functions AS (
	SELECT f.oid, nspname, proname, proargtypes, prorettype, pg_get_functiondef(f.oid) AS definition
	FROM pg_proc f JOIN pg_namespace n ON n.oid = pronamespace
	WHERE prokind = 'f' AND nspname !~ '^(pg_|information_schema$|dbkit)'
		AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = f.oid AND d.deptype = 'e')
), named AS (
	-- the tables that a function names, also through other functions
	WITH RECURSIVE calls(oid, callee) AS (
		SELECT oid, oid FROM functions
		UNION SELECT calls.oid, other.oid FROM calls JOIN functions f ON f.oid = callee JOIN functions other ON strpos(f.definition, other.proname) > 0)
	SELECT calls.oid, array_agg(DISTINCT own.name) AS tables
	FROM calls JOIN functions f ON f.oid = callee JOIN own ON strpos(f.definition, own.relname) > 0 GROUP BY calls.oid
), roots AS (
	-- what a partition or child is one of
	WITH RECURSIVE parents(oid, parent) AS (
		SELECT oid, oid FROM own
		UNION SELECT parents.oid, inhparent FROM parents JOIN pg_inherits ON inhrelid = parent)
	SELECT parents.oid, array_agg(own.name) AS names FROM parents JOIN own ON own.oid = parent GROUP BY parents.oid
), changed AS (
	-- what may change with a table: what it is part of, and what its triggers name
	SELECT roots.oid, roots.names || coalesce(array_agg(t) FILTER (WHERE t IS NOT NULL), '{}') AS tables
	FROM roots LEFT JOIN pg_trigger ON tgrelid = roots.oid LEFT JOIN named ON named.oid = tgfoid LEFT JOIN unnest(named.tables) t ON true GROUP BY roots.oid, roots.names
), keys AS (
	SELECT con.oid, conname, c.name AS child, p.name AS parent, c.oid AS child_oid,
		string_agg(format('c.%I = p.%I', ca.attname, pa.attname), ' AND ') AS matches,
		string_agg(format('c.%I', ca.attname), ', ' ORDER BY i) AS columns, string_agg(format('p.%I', pa.attname), ', ' ORDER BY i) AS parent_columns
	FROM pg_constraint con JOIN own c ON c.oid = conrelid JOIN own p ON p.oid = confrelid,
		unnest(conkey, confkey) WITH ORDINALITY AS k(attnum, parent_attnum, i), pg_attribute ca, pg_attribute pa
	WHERE contype = 'f' AND conparentid = 0 AND ca.attrelid = conrelid AND ca.attnum = k.attnum AND pa.attrelid = confrelid AND pa.attnum = k.parent_attnum
	GROUP BY con.oid, conname, c.name, p.name, c.oid
)
SELECT CASE WHEN relkind IN ('r', 'p') THEN '{app,owner}' ELSE '{app,owner,reader}' END AS roles, 'SELECT of ' || name AS name,
	coalesce(used.tables, roots.names) AS tables, format('SELECT %s FROM %s', list, name) AS sql, NULL AS afterwards, true AS is_query
FROM own JOIN roots USING (oid) LEFT JOIN columns USING (oid) LEFT JOIN used ON view = own.oid
UNION ALL
SELECT '{app}', kind || ' of ' || name, changed.tables, format('UPDATE %s SET %s = %2$s', name, one), afterwards, false
FROM own JOIN changed USING (oid) JOIN columns USING (oid), LATERAL (VALUES ('UPDATE', NULL), ('UPDATE and SELECT', format('SELECT %s FROM %s', list, name))) AS twice(kind, afterwards)
WHERE relkind IN ('r', 'p') AND one IS NOT NULL
UNION ALL
SELECT '{owner}', 'REFRESH of ' || name, used.tables, format('REFRESH MATERIALIZED VIEW %s', name), format('SELECT %s FROM %s', list, name), false
FROM own JOIN columns USING (oid) LEFT JOIN used ON view = own.oid WHERE relkind = 'm'
UNION ALL
SELECT '{app,owner}', format('join of %s to %s by %s', child, parent, conname), ARRAY[child, parent],
	format('SELECT count(*) FROM %s c JOIN %s p ON %s', child, parent, matches), NULL, true
FROM keys
UNION ALL
SELECT '{app}', format('DELETE of a row of %s that %s references by %s', parent, child, conname), ARRAY[child, parent],
	format('DELETE FROM %s p WHERE (%s) IN (SELECT %s FROM %s c WHERE (%3$s) IS NOT NULL ORDER BY ROW(%3$s)::text COLLATE "C" LIMIT 1)', parent, parent_columns, columns, child),
	format('SELECT count(*), count(ROW(%s)) FILTER (WHERE (%1$s) IS NOT NULL) FROM %s c', columns, child), false
FROM keys
UNION ALL
SELECT '{app,owner,reader}', format('function %s', oid::regprocedure), named.tables,
	format('SELECT * FROM %I.%I(%s)', nspname, proname, (SELECT string_agg('NULL::' || format_type(t, NULL), ', ' ORDER BY i) FROM unnest(proargtypes) WITH ORDINALITY AS a(t, i))), NULL, false
FROM functions LEFT JOIN named USING (oid)
WHERE prorettype NOT IN ('trigger'::regtype, 'event_trigger'::regtype) AND NOT EXISTS (SELECT FROM pg_type t WHERE t.typtype = 'p' AND t.oid = ANY (proargtypes))
ORDER BY 2, 1
