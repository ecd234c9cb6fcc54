-- The questions of dbkit.check() that are on by default, asked in SQL over the
-- catalogs: one set-based query for each rule over shared lists of tables,
-- columns and indexes.  Expressions can be read as text only.  Exemptions and
-- what domains say beyond their base type are left out, and no fix is offered.
-- ONLY(...) stands where the query is to be about one object.
WITH RECURSIVE
tables AS MATERIALIZED (
	SELECT c.oid, format('%I.%I', n.nspname, c.relname) AS identity,
		c.relkind = 'p' AS partitioned, c.relrowsecurity, c.relname LIKE '%\_enum' AS is_enum
	FROM pg_class c
	JOIN pg_namespace n ON n.oid = c.relnamespace
	WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relpersistence <> 't'
		AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
		AND ONLY(c.oid)
		AND NOT EXISTS (SELECT FROM pg_depend d
			WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')),
attributes AS MATERIALIZED (
	SELECT t.oid AS relid, t.identity, t.is_enum, a.attnum, a.attname, a.atttypid, a.attcollation,
		a.attnotnull, a.attgenerated, pg_get_expr(d.adbin, d.adrelid) AS expression
	FROM tables t
	JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped
	LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum AND a.attgenerated = ''),
base_types AS (
	SELECT u.type, t.oid AS base, t.typbasetype AS next
	FROM (SELECT DISTINCT atttypid AS type FROM attributes) u JOIN pg_type t ON t.oid = u.type
	UNION ALL
	SELECT b.type, t.oid, t.typbasetype FROM base_types b JOIN pg_type t ON t.oid = b.next),
columns AS MATERIALIZED (
	SELECT relid, identity, is_enum, attnum, attname, atttypid AS type, base,
		attcollation = '"C"'::regcollation AS is_c, attnotnull, attgenerated <> '' AS generated, expression
	FROM attributes JOIN base_types b ON b.type = atttypid AND b.next = 0),
parts AS (
	SELECT DISTINCT type AS outermost, type FROM columns
	UNION
	SELECT p.outermost, inner_type.type
	FROM parts p
	JOIN pg_type t ON t.oid = p.type
	CROSS JOIN LATERAL (
		SELECT t.typbasetype AS type WHERE t.typtype = 'd'
		UNION ALL SELECT t.typelem WHERE t.typcategory = 'A' AND t.typlen = -1
		UNION ALL SELECT rngsubtype FROM pg_range WHERE t.typtype = 'r' AND rngtypid = t.oid
		UNION ALL SELECT rngsubtype FROM pg_range WHERE t.typtype = 'm' AND rngmultitypid = t.oid
		UNION ALL SELECT atttypid FROM pg_attribute
			WHERE t.typtype = 'c' AND attrelid = t.typrelid AND attnum > 0 AND NOT attisdropped
	) inner_type),
unwanted AS MATERIALIZED (
	SELECT DISTINCT p.outermost AS type,
		CASE WHEN t.typtype = 'e' THEN 'enum_type'
			WHEN t.oid = 'timestamp'::regtype THEN 'timestamptz' ELSE 'bigint' END AS rule
	FROM parts p
	JOIN pg_type t ON t.oid = p.type
	WHERE t.typtype = 'e' OR t.oid IN ('timestamp'::regtype, 'int2'::regtype, 'int4'::regtype)),
indexes AS MATERIALIZED (
	SELECT i.*, c.relam, i.indisprimary OR i.indisreplident OR k.oid IS NOT NULL AS is_constraint,
		string_to_array(i.indkey::text, ' ')::smallint[] AS keys,
		i.indisvalid AND i.indpred IS NULL AS usable,
		regexp_split_to_array(pg_get_expr(i.indpred, i.indrelid), ' (?:AND|OR) ') AS conditions
	FROM pg_index i
	JOIN tables t ON t.oid = i.indrelid
	JOIN pg_class c ON c.oid = i.indexrelid
	LEFT JOIN pg_constraint k ON k.conrelid = i.indrelid AND k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x')),
foreign_keys AS MATERIALIZED (
	SELECT k.*, t.identity FROM pg_constraint k JOIN tables t ON t.oid = k.conrelid
	WHERE k.contype = 'f' AND k.conparentid = 0 AND NOT t.is_enum),
policies AS MATERIALIZED (
	SELECT p.polrelid, p.polname, p.polcmd, p.polpermissive, p.polroles, t.identity,
		pg_get_expr(p.polqual, p.polrelid) AS condition,
		pg_get_expr(p.polwithcheck, p.polrelid) AS with_check
	FROM pg_policy p JOIN tables t ON t.oid = p.polrelid
	WHERE NOT t.is_enum AND t.relrowsecurity),
ids AS MATERIALIZED (
	SELECT t.oid AS relid, t.identity, c.attnum, c.base, c.is_c, c.expression,
		substring(c.expression FROM '^(?:public\.)?generate_id\(''([^'']*)''::text\)$') AS prefix
	FROM tables t LEFT JOIN columns c ON c.relid = t.oid AND c.attname = 'id'
	WHERE NOT t.is_enum),
pinned AS MATERIALIZED (
	SELECT relid, prefix, default_prefix
	FROM (SELECT i.relid, i.prefix AS default_prefix, coalesce(
				substring(e.text FROM '\(id ~~ ''((?:\\?[a-z_])+)_%''::text\)'),
				substring(e.text FROM '(?:starts_with\(id, |\(id \^@ )''([^'']+)_''::text\)'),
				substring(e.text FROM 'is_id\(id, ''([^'']+)''::text\)')) AS prefix
		FROM ids i
		JOIN pg_constraint k ON k.conrelid = i.relid AND k.contype = 'c' AND i.attnum = ANY (k.conkey)
		CROSS JOIN LATERAL (SELECT pg_get_expr(k.conbin, k.conrelid) AS text OFFSET 0) AS e) AS checks
	WHERE prefix IS NOT NULL),
prefixes AS MATERIALIZED (
	SELECT relid, identity, coalesce(prefix, pinned_prefix) AS prefix,
		row_number() OVER (PARTITION BY coalesce(prefix, pinned_prefix) ORDER BY relid) AS nth
	FROM ids LEFT JOIN (SELECT relid, min(prefix) AS pinned_prefix FROM pinned GROUP BY relid) AS p USING (relid))

SELECT 'primary_key' AS rule, i.identity, CASE WHEN attnum IS NOT NULL THEN 'id' END AS column_name
FROM ids i
JOIN tables t ON t.oid = i.relid
LEFT JOIN indexes x ON x.indrelid = i.relid AND x.indisprimary
WHERE attnum IS NULL OR base <> 'text'::regtype OR NOT is_c OR x.indexrelid IS NULL
	OR NOT i.attnum = ANY (x.keys[1:x.indnkeyatts]) OR (x.indnkeyatts > 1 AND NOT t.partitioned)
UNION ALL
SELECT 'id_default', identity, 'id' FROM ids WHERE attnum IS NOT NULL AND prefix IS NULL
UNION ALL
SELECT 'id_check', identity, 'id' FROM ids i
WHERE attnum IS NOT NULL AND NOT EXISTS (SELECT FROM pinned p WHERE p.relid = i.relid
	AND (p.default_prefix IS NULL OR p.prefix = p.default_prefix))
UNION ALL
SELECT 'id_prefix', identity, 'id' FROM prefixes WHERE prefix !~ '^[a-z]{2,3}$'
UNION ALL
SELECT 'id_prefix', identity, 'id' FROM prefixes WHERE prefix IS NOT NULL AND nth > 1
UNION ALL
SELECT clock.name, t.identity, clock.name
FROM tables t
CROSS JOIN (VALUES ('created_at'), ('updated_at')) AS clock (name)
LEFT JOIN columns c ON c.relid = t.oid AND c.attname = clock.name
WHERE NOT t.is_enum AND (c.relid IS NULL OR c.base <> 'timestamptz'::regtype OR NOT c.attnotnull OR c.generated
	OR c.expression IS NULL OR c.expression !~ '^(now|transaction_timestamp|statement_timestamp|clock_timestamp)\(\)$|^CURRENT_TIMESTAMP')
UNION ALL
SELECT 'storytime', t.identity, 'storytime'
FROM tables t LEFT JOIN columns c ON c.relid = t.oid AND c.attname = 'storytime'
WHERE NOT t.is_enum AND (c.relid IS NULL OR c.base <> 'jsonb'::regtype)
UNION ALL
SELECT u.rule, c.identity, c.attname FROM columns c JOIN unwanted u USING (type)
WHERE NOT c.is_enum AND c.attname <> 'id' AND c.attname NOT LIKE '%\_id' AND c.attname NOT LIKE '%\_extid'
	AND (u.rule <> 'timestamptz' OR c.attname NOT IN ('created_at', 'updated_at'))
UNION ALL
SELECT 'text_id', identity, attname FROM columns
WHERE NOT is_enum AND (attname LIKE '%\_id' OR attname LIKE '%\_extid') AND (base <> 'text'::regtype OR NOT is_c)
UNION ALL
SELECT 'enum_type', format('%I.%I', n.nspname, t.typname), NULL
FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
WHERE t.typtype = 'e' AND n.nspname NOT IN ('pg_catalog', 'information_schema')
	AND ONLY(t.oid)
	AND NOT EXISTS (SELECT FROM pg_depend d
		WHERE d.classid = 'pg_type'::regclass AND d.objid = t.oid AND d.deptype = 'e')
UNION ALL
SELECT 'enum_table', t.identity, CASE WHEN c.relid IS NOT NULL THEN 'value' END
FROM tables t
LEFT JOIN columns c ON c.relid = t.oid AND c.attname = 'value'
LEFT JOIN indexes x ON x.indrelid = t.oid AND x.indisprimary
WHERE t.is_enum AND (c.relid IS NULL OR c.base <> 'text'::regtype OR x.indexrelid IS NULL
	OR x.keys[1] <> c.attnum OR x.indnkeyatts > 1)
UNION ALL
SELECT 'view_security_invoker', format('%I.%I', n.nspname, c.relname), NULL
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'v' AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND c.relpersistence <> 't'
	AND NOT coalesce(c.reloptions && '{security_invoker=true,security_invoker=on,security_invoker=1}', false)
	AND ONLY(c.oid)
	AND NOT EXISTS (SELECT FROM pg_depend d
		WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
UNION ALL
SELECT 'updated_at_trigger', identity, NULL FROM tables
WHERE NOT is_enum AND EXISTS (SELECT FROM columns c WHERE c.relid = tables.oid AND c.attname = 'updated_at')
	AND NOT EXISTS (SELECT FROM pg_trigger g
	WHERE g.tgrelid = tables.oid AND NOT g.tgisinternal AND g.tgenabled IN ('O', 'A') AND g.tgtype & 19 = 19
		AND g.tgattr = '' AND g.tgfoid = 'updated_at'::regproc)
UNION ALL
SELECT 'fk_index', k.identity, CASE WHEN cardinality(k.conkey) = 1 THEN c.attname END
FROM foreign_keys k JOIN columns c ON c.relid = k.conrelid AND c.attnum = k.conkey[1]
WHERE NOT EXISTS (SELECT FROM indexes i
	WHERE i.indrelid = k.conrelid AND i.indisvalid AND i.relam IN (403, 405)
		AND NOT EXISTS (SELECT FROM unnest(i.conditions) AS condition WHERE btrim(condition, '()') NOT IN (
			SELECT format('%I IS NOT NULL', a.attname) FROM pg_attribute a WHERE a.attrelid = k.conrelid AND a.attnum = ANY (k.conkey)))
		AND i.indnkeyatts >= cardinality(k.conkey)
		AND i.keys[1:cardinality(k.conkey)] @> k.conkey)
UNION ALL
SELECT 'fk_on_delete', k.identity, CASE WHEN cardinality(k.conkey) = 1 THEN c.attname END
FROM foreign_keys k
JOIN columns c ON c.relid = k.conrelid AND c.attnum = k.conkey[1]
JOIN pg_class r ON r.oid = k.confrelid AND r.relname IN ('users', 'organizations')
WHERE k.confdeltype NOT IN ('c', 'n')
UNION ALL
SELECT 'extid', c.identity, c.attname
FROM columns c
WHERE NOT c.is_enum AND c.attname LIKE '%\_id'
	AND NOT EXISTS (SELECT FROM foreign_keys k WHERE k.conrelid = c.relid AND c.attnum = ANY (k.conkey))
	AND NOT EXISTS (SELECT FROM indexes i
		WHERE i.indrelid = c.relid AND i.indisprimary AND c.attnum = ANY (i.keys[1:i.indnkeyatts]))
UNION ALL
SELECT 'rls_enabled', identity, NULL FROM tables WHERE NOT is_enum AND NOT relrowsecurity
UNION ALL
SELECT 'rls_policy', identity, NULL FROM tables t
WHERE NOT is_enum AND relrowsecurity AND NOT EXISTS (SELECT FROM policies p WHERE p.polrelid = t.oid AND p.polpermissive)
UNION ALL
SELECT 'policy_with_check', p.identity, NULL FROM policies p
WHERE p.polpermissive AND p.polcmd IN ('*', 'a') AND coalesce(p.with_check, p.condition, 'true') = 'true'
	AND NOT EXISTS (SELECT FROM policies r
		WHERE r.polrelid = p.polrelid AND NOT r.polpermissive AND r.polcmd IN ('*', 'a') AND r.polroles = '{0}'
			AND coalesce(r.with_check, r.condition, 'true') <> 'true')
UNION ALL
SELECT 'forgeable_policy', identity, NULL FROM policies
WHERE regexp_replace(concat(condition, ' ', with_check),
	'current_setting\(''app\.(user|organization)_id''::text(, (true|false))?\)', '', 'g') ~ 'current_setting\('
UNION ALL
SELECT 'duplicate_index', t.identity, NULL
FROM indexes i JOIN tables t ON t.oid = i.indrelid
WHERE NOT t.is_enum AND NOT i.is_constraint AND i.usable
	AND EXISTS (SELECT FROM indexes o
		WHERE o.indrelid = i.indrelid AND o.indexrelid <> i.indexrelid AND o.usable AND o.relam = i.relam
			AND (o.indnkeyatts = i.indnkeyatts OR i.relam = 403)
			AND i.keys[1:i.indnkeyatts] = o.keys[1:i.indnkeyatts] AND 0 <> ALL (i.keys)
			AND i.indclass::oid[] <@ o.indclass::oid[] AND i.indcollation::oid[] <@ o.indcollation::oid[]
			AND i.keys[i.indnkeyatts + 1:] <@ o.keys
			AND (NOT i.indisunique OR (o.indisunique AND o.indnkeyatts = i.indnkeyatts))
			AND (o.indnkeyatts > i.indnkeyatts OR o.is_constraint OR o.indexrelid < i.indexrelid
				OR o.indnatts > i.indnatts OR (o.indisunique AND NOT i.indisunique)))
UNION ALL
SELECT 'security_definer_path', format('%I.%I(%s)', n.nspname, p.proname, pg_get_function_identity_arguments(p.oid)), NULL
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE p.prosecdef AND n.nspname NOT IN ('pg_catalog', 'information_schema')
	AND NOT EXISTS (SELECT FROM unnest(p.proconfig) AS setting
		WHERE setting ~ '^search_path=(""|.*pg_temp)?$' AND setting !~ '\$user')
	AND ONLY(p.oid)
	AND NOT EXISTS (SELECT FROM pg_depend d
		WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')
