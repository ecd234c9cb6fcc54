-- What a database has against an agreement, asked in SQL over the catalogs by somebody
-- who knows nothing of dbkit: one set-based query for each rule.  test/bench/linter.sql
-- asks the same for the agreement "house" alone and is measured; this one takes any.
--
-- AGREEMENT is the literal of an agreement with all its defaults.  A row is a finding: the
-- rule, the object by number, what of it is wrong, the object's schema and name, the column.
-- What can be wrong in several ways has a row for each, also for those that a worse one
-- hides: a column that is missing is not NOT NULL either, so a nullable one in its place
-- is nothing new.
WITH RECURSIVE
agreed AS MATERIALIZED (
	SELECT a->>'id_style' AS id_style, coalesce((a->>'composite_keys')::boolean, false) AS composite_keys,
		lists.*
	FROM (SELECT AGREEMENT::jsonb) AS agreement (a)
	CROSS JOIN LATERAL (
		SELECT array_agg(value) FILTER (WHERE key = 'created_at_columns') AS created_at_columns,
			array_agg(value) FILTER (WHERE key = 'updated_at_columns') AS updated_at_columns,
			coalesce(array_agg(value) FILTER (WHERE key = 'updated_at_functions'), '{}') AS updated_at_functions,
			coalesce(array_agg(value) FILTER (WHERE key = 'id_suffixes'), '{}') AS id_suffixes,
			coalesce(array_agg(value) FILTER (WHERE key = 'extid_suffixes'), '{}') AS extid_suffixes,
			coalesce(array_agg(value) FILTER (WHERE key = 'user_tables'), '{}') AS user_tables,
			coalesce(array_agg(value) FILTER (WHERE key = 'organization_tables'), '{}') AS organization_tables,
			coalesce(array_agg(value) FILTER (WHERE key = 'organization_columns'), '{}') AS organization_columns
		FROM jsonb_each(a) AS list (key, elements)
		CROSS JOIN LATERAL jsonb_array_elements_text(CASE jsonb_typeof(elements) WHEN 'array' THEN elements ELSE '[]' END) AS e (value)
		WHERE key <> 'exemptions') AS lists),
own AS MATERIALIZED (
	SELECT oid AS schema, nspname FROM pg_namespace
	WHERE nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast') AND nspname !~ '^pg_(toast_)?temp_'),
members AS MATERIALIZED (
	SELECT classid, objid FROM pg_depend WHERE deptype = 'e'),
tables AS MATERIALIZED (
	SELECT c.oid, n.nspname, c.relname, format('%I.%I', n.nspname, c.relname) AS quoted,
		c.relkind = 'p' AS partitioned, c.relrowsecurity, c.relforcerowsecurity, c.relname LIKE '%\_enum' AS is_enum
	FROM pg_class c
	JOIN own n ON n.schema = c.relnamespace
	WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relpersistence <> 't'
		AND NOT EXISTS (SELECT FROM members WHERE classid = 'pg_class'::regclass AND objid = c.oid)),
attributes AS MATERIALIZED (
	SELECT t.oid AS relid, t.is_enum, a.attnum, a.attname, a.atttypid, a.attcollation,
		a.attnotnull, a.attgenerated, a.attidentity, pg_get_expr(d.adbin, d.adrelid) AS expression
	FROM tables t
	JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped
	LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum AND a.attgenerated = ''),
base_types AS (
	SELECT u.type, t.oid AS base, t.typbasetype AS next
	FROM (SELECT DISTINCT atttypid AS type FROM attributes) u JOIN pg_type t ON t.oid = u.type
	UNION ALL
	SELECT b.type, t.oid, t.typbasetype FROM base_types b JOIN pg_type t ON t.oid = b.next),
columns AS MATERIALIZED (
	SELECT relid, is_enum, attnum, attname, atttypid AS type, base, attcollation = '"C"'::regcollation AS is_c,
		attnotnull, attgenerated <> '' AS generated, attidentity <> '' AS identity, expression,
		EXISTS (SELECT FROM unnest(extid_suffixes) AS s WHERE right(attname, length(s)) = s) AS is_extid,
		EXISTS (SELECT FROM unnest(id_suffixes) AS s WHERE right(attname, length(s)) = s AND attname <> s) AS ends_like_id
	FROM agreed, attributes JOIN base_types b ON b.type = atttypid AND b.next = 0),
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
	SELECT i.*, c.relam, c.relkind, i.indisprimary OR i.indisreplident OR k.oid IS NOT NULL AS is_constraint,
		string_to_array(i.indkey::text, ' ')::smallint[] AS keys,
		i.indisvalid AND i.indpred IS NULL AS usable,
		pg_get_expr(i.indpred, i.indrelid) AS predicate
	FROM pg_index i
	JOIN tables t ON t.oid = i.indrelid
	JOIN pg_class c ON c.oid = i.indexrelid
	LEFT JOIN pg_constraint k ON k.conrelid = i.indrelid AND k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x')),
foreign_keys AS MATERIALIZED (
	SELECT k.*, concat(k.conkey, k.confrelid, k.confkey) AS what,
		CASE WHEN cardinality(k.conkey) = 1 THEN c.attname END AS column_name,
		format('%I', r.relname) AS referenced, format('%I.%I', n.nspname, r.relname) AS referenced_in_schema
	FROM pg_constraint k
	JOIN tables t ON t.oid = k.conrelid
	JOIN columns c ON c.relid = k.conrelid AND c.attnum = k.conkey[1]
	JOIN pg_class r ON r.oid = k.confrelid
	JOIN pg_namespace n ON n.oid = r.relnamespace
	WHERE k.contype = 'f' AND k.conparentid = 0 AND NOT t.is_enum),
policies AS MATERIALIZED (
	SELECT p.polrelid, p.polname, p.polcmd, p.polpermissive, p.polroles,
		pg_get_expr(p.polqual, p.polrelid) AS condition,
		pg_get_expr(p.polwithcheck, p.polrelid) AS with_check
	FROM pg_policy p JOIN tables t ON t.oid = p.polrelid
	WHERE NOT t.is_enum),
ids AS MATERIALIZED (
	SELECT t.oid AS relid, c.attnum, c.base, c.is_c, c.expression, c.identity, x.indexrelid, x.keys[1:x.indnkeyatts] AS keys, t.partitioned,
		substring(c.expression FROM '^(?:\w+\.)?generate_id\(''([^'']*)''::text\)$') AS prefix
	FROM tables t
	LEFT JOIN columns c ON c.relid = t.oid AND c.attname = 'id'
	LEFT JOIN indexes x ON x.indrelid = t.oid AND x.indisprimary
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
	SELECT relid, coalesce(prefix, pinned_prefix) AS prefix,
		row_number() OVER (PARTITION BY coalesce(prefix, pinned_prefix) ORDER BY relid) AS nth
	FROM ids LEFT JOIN (SELECT relid, min(prefix) AS pinned_prefix FROM pinned GROUP BY relid) AS p USING (relid)),
key_columns AS MATERIALIZED (
	SELECT k.conrelid AS relid, key.attnum, coalesce(b.base, a.atttypid) AS type, a.attcollation AS collation
	FROM foreign_keys k
	CROSS JOIN LATERAL unnest(k.conkey, k.confkey) AS key (attnum, referenced)
	JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = key.referenced
	LEFT JOIN base_types b ON b.type = a.atttypid AND b.next = 0),
of_table AS (
	SELECT 'primary_key' AS rule, relid, fault AS what, CASE WHEN attnum IS NOT NULL THEN 'id' END AS column_name
	FROM agreed, ids i
	CROSS JOIN LATERAL (SELECT CASE id_style
			WHEN 'uuid' THEN base = 'uuid'::regtype
			WHEN 'bigint' THEN base = 'int8'::regtype
			WHEN 'prefixed' THEN base = 'text'::regtype END AS is_type,
		CASE id_style
			WHEN 'uuid' THEN coalesce(expression ~ '\(', false)
			WHEN 'bigint' THEN identity OR coalesce(expression ~ '^nextval\(', false)
			ELSE true END AS is_generated,
		CASE WHEN indexrelid IS NULL THEN ARRAY['no key', 'other key', 'wide key']
			WHEN id_style = 'any' OR (composite_keys AND cardinality(keys) > 1 AND (coalesce(attnum = ANY (keys), false)
				OR NOT EXISTS (SELECT FROM unnest(keys) AS part
					WHERE NOT EXISTS (SELECT FROM key_columns k WHERE k.relid = i.relid AND k.attnum = part)))) THEN '{}'
			WHEN attnum IS NULL OR attnum <> ALL (keys) THEN ARRAY['other key', 'wide key']
			WHEN cardinality(keys) > 1 AND NOT partitioned THEN ARRAY['wide key']
			ELSE '{}' END AS key_faults) AS judged
	CROSS JOIN LATERAL unnest(CASE
		WHEN id_style = 'any' OR (composite_keys AND cardinality(keys) > 1 AND key_faults = '{}') THEN key_faults
		WHEN attnum IS NULL THEN ARRAY['missing', 'no key', 'other key', 'wide key', 'default']
		WHEN NOT is_type THEN key_faults || ARRAY['type', 'collation', 'default']
		WHEN id_style = 'prefixed' AND NOT is_c THEN key_faults || ARRAY['collation']
		WHEN NOT is_generated THEN key_faults || ARRAY['default']
		ELSE key_faults END) AS f (fault)
	UNION ALL
	SELECT 'id_default', relid, attnum::text, 'id' FROM agreed, ids WHERE id_style = 'prefixed' AND attnum IS NOT NULL AND prefix IS NULL
	UNION ALL
	SELECT 'id_check', relid, attnum::text, 'id' FROM agreed, ids i
	WHERE id_style = 'prefixed' AND attnum IS NOT NULL AND NOT EXISTS (SELECT FROM pinned p WHERE p.relid = i.relid
		AND (p.default_prefix IS NULL OR p.prefix = p.default_prefix))
	UNION ALL
	SELECT 'id_prefix', relid, '', 'id' FROM agreed, prefixes
	WHERE id_style = 'prefixed' AND (prefix !~ '^[a-z]{2,3}$' OR (prefix IS NOT NULL AND nth > 1))
	UNION ALL
	SELECT clock.rule, t.oid, fault, coalesce(c.attname, clock.names[1])
	FROM agreed
	CROSS JOIN LATERAL (VALUES ('created_at', created_at_columns), ('updated_at', updated_at_columns)) AS clock (rule, names)
	CROSS JOIN tables t
	LEFT JOIN LATERAL (SELECT *
		FROM (SELECT *, base = 'timestamptz'::regtype AS is_type,
				coalesce(expression ~ '^(now|transaction_timestamp|statement_timestamp|clock_timestamp)\(\)$|^CURRENT_TIMESTAMP', false) AS is_clock
			FROM columns WHERE relid = t.oid AND attname = ANY (clock.names)) AS of_that_name
		ORDER BY is_type AND is_clock AND attnotnull AND NOT generated DESC, attnum LIMIT 1) AS c ON true
	CROSS JOIN LATERAL unnest(CASE WHEN c.relid IS NULL THEN ARRAY['missing', 'null', 'default']
		ELSE array_remove(ARRAY[CASE WHEN NOT is_type THEN 'type' END, CASE WHEN NOT attnotnull THEN 'null' END,
			CASE WHEN generated THEN 'generated' END, CASE WHEN NOT is_clock OR NOT is_type THEN 'default' END], NULL) END) AS f (fault)
	WHERE NOT t.is_enum
	UNION ALL
	SELECT 'storytime', t.oid, CASE WHEN c.relid IS NULL THEN 'missing' ELSE 'type' END, 'storytime'
	FROM tables t LEFT JOIN columns c ON c.relid = t.oid AND c.attname = 'storytime'
	WHERE NOT t.is_enum AND (c.relid IS NULL OR c.base <> 'jsonb'::regtype)
	UNION ALL
	SELECT u.rule, c.relid, c.attnum::text, c.attname FROM columns c JOIN unwanted u USING (type) WHERE NOT c.is_enum
	UNION ALL
	SELECT 'text_id', c.relid, c.attnum::text, c.attname
	FROM agreed, columns c
	LEFT JOIN (SELECT relid, attnum, array_agg(type) AS types FROM key_columns GROUP BY relid, attnum) AS k USING (relid, attnum)
	WHERE NOT is_enum AND (ends_like_id OR is_extid) AND CASE
		WHEN id_style = 'prefixed' THEN base <> 'text'::regtype OR NOT is_c
		WHEN k.types IS NOT NULL THEN c.base <> ALL (k.types)
		WHEN id_style = 'uuid' THEN base NOT IN ('uuid'::regtype, 'text'::regtype)
		WHEN id_style = 'bigint' THEN NOT is_extid AND base <> 'int8'::regtype
		ELSE false END
	UNION ALL
	SELECT 'enum_table', t.oid, coalesce(c.attnum::text, ''), CASE WHEN c.relid IS NOT NULL THEN 'value' END
	FROM tables t
	LEFT JOIN columns c ON c.relid = t.oid AND c.attname = 'value'
	LEFT JOIN indexes x ON x.indrelid = t.oid AND x.indisprimary
	WHERE t.is_enum AND (c.relid IS NULL OR c.base <> 'text'::regtype OR x.indexrelid IS NULL
		OR x.keys[1] <> c.attnum OR x.indnkeyatts > 1)
	UNION ALL
	SELECT 'updated_at_trigger', t.oid, '', NULL FROM agreed, tables t
	WHERE NOT is_enum AND EXISTS (SELECT FROM columns c WHERE c.relid = t.oid AND c.attname = ANY (updated_at_columns)) AND NOT EXISTS (SELECT FROM pg_trigger g
		JOIN pg_proc p ON p.oid = g.tgfoid
		JOIN pg_namespace n ON n.oid = p.pronamespace
		WHERE g.tgrelid = t.oid AND NOT g.tgisinternal AND g.tgenabled IN ('O', 'A') AND g.tgtype & 19 = 19 AND g.tgattr = ''
			AND (format('%I', p.proname) = ANY (updated_at_functions) OR format('%I.%I', n.nspname, p.proname) = ANY (updated_at_functions)
				OR (p.proname = 'updated_at' AND p.prosrc = 'dbkit_updated_at')))
	UNION ALL
	SELECT 'fk_index', k.conrelid, k.what, k.column_name
	FROM foreign_keys k
	WHERE NOT EXISTS (SELECT FROM indexes i
		WHERE i.indrelid = k.conrelid AND i.indisvalid AND i.relam IN (403, 405) AND i.indnkeyatts >= cardinality(k.conkey)
			AND i.keys[1:cardinality(k.conkey)] @> k.conkey
			AND (i.predicate IS NULL OR (cardinality(k.conkey) = 1 AND i.predicate = format('(%I IS NOT NULL)', k.column_name))))
	UNION ALL
	SELECT 'fk_on_delete', k.conrelid, k.what, k.column_name
	FROM agreed, foreign_keys k
	WHERE k.confdeltype NOT IN ('c', 'n')
		AND (referenced = ANY (user_tables || organization_tables) OR referenced_in_schema = ANY (user_tables || organization_tables))
	UNION ALL
	SELECT 'organization_scope', t.oid, '', NULL
	FROM agreed, tables t
	WHERE NOT is_enum AND NOT format('%I', relname) = ANY (organization_tables) AND NOT quoted = ANY (organization_tables)
		AND NOT EXISTS (SELECT FROM foreign_keys k JOIN columns c ON c.relid = k.conrelid AND c.attnum = ANY (k.conkey)
			WHERE k.conrelid = t.oid AND c.attnotnull
				AND (referenced = ANY (organization_tables) OR referenced_in_schema = ANY (organization_tables)))
	UNION ALL
	SELECT 'extid', c.relid, c.attnum::text, c.attname
	FROM columns c
	WHERE NOT c.is_enum AND c.ends_like_id AND NOT c.is_extid
		AND NOT EXISTS (SELECT FROM key_columns k WHERE k.relid = c.relid AND k.attnum = c.attnum)
		AND NOT EXISTS (SELECT FROM indexes i
			WHERE i.indrelid = c.relid AND i.indisprimary AND c.attnum = ANY (i.keys[1:i.indnkeyatts]))
	UNION ALL
	SELECT 'rls_enabled', oid, '', NULL FROM tables WHERE NOT is_enum AND NOT relrowsecurity
	UNION ALL
	SELECT 'rls_forced', oid, '', NULL FROM tables WHERE NOT is_enum AND NOT relforcerowsecurity
	UNION ALL
	SELECT 'rls_policy', t.oid, '', NULL FROM tables t
	WHERE NOT is_enum AND NOT EXISTS (SELECT FROM policies p WHERE p.polrelid = t.oid AND p.polpermissive)
	UNION ALL
	SELECT 'policy_with_check', p.polrelid, p.polname, NULL FROM policies p
	WHERE p.polpermissive AND p.polcmd IN ('*', 'a') AND coalesce(p.with_check, p.condition, 'true') = 'true'
		AND NOT EXISTS (SELECT FROM policies r
			WHERE r.polrelid = p.polrelid AND NOT r.polpermissive AND r.polcmd IN ('*', 'a') AND r.polroles = '{0}'
				AND coalesce(r.with_check, r.condition, 'true') <> 'true')
		-- of these tables open_policy says it
		AND NOT EXISTS (SELECT FROM agreed, columns c WHERE c.relid = p.polrelid AND c.attname = ANY (organization_columns))
	UNION ALL
	SELECT 'forgeable_policy', polrelid, polname, NULL FROM policies
	WHERE regexp_replace(concat(condition, ' ', with_check),
		'current_setting\(''app\.(user|organization)_id''::text(, (true|false))?\)', '', 'g') ~ 'current_setting\('
	UNION ALL
	SELECT name.rule, k.conrelid, k.conname, NULL
	FROM (VALUES ('fk_validated'), ('constraint_validated')) AS name (rule)
	CROSS JOIN pg_constraint k JOIN tables t ON t.oid = k.conrelid
	WHERE NOT t.is_enum AND NOT k.convalidated
	UNION ALL
	SELECT 'fk_type', k.conrelid, k.what, k.column_name
	FROM foreign_keys k
	WHERE EXISTS (SELECT FROM key_columns f JOIN attributes a ON a.relid = f.relid AND a.attnum = f.attnum
		WHERE f.relid = k.conrelid AND f.attnum = ANY (k.conkey) AND (f.type <> a.atttypid OR f.collation <> a.attcollation))
	UNION ALL
	SELECT 'invalid_index', indrelid, indexrelid::text, NULL FROM indexes WHERE NOT indisvalid AND relkind = 'i'
	UNION ALL
	SELECT 'column_comment', c.relid, c.attnum::text, c.attname FROM columns c
	WHERE NOT c.is_enum AND col_description(c.relid, c.attnum) IS NULL
	UNION ALL
	SELECT 'table_comment', t.oid, '', NULL FROM tables t
	WHERE NOT t.is_enum AND obj_description(t.oid, 'pg_class') IS NULL
	UNION ALL
	SELECT 'duplicate_index', i.indrelid, i.indexrelid::text, NULL
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
					OR o.indnatts > i.indnatts OR (o.indisunique AND NOT i.indisunique))))

SELECT f.rule, t.oid, f.what, t.nspname, t.relname, f.column_name
FROM of_table f JOIN tables t ON t.oid = f.relid
UNION ALL
SELECT 'enum_type', t.oid, '', n.nspname, t.typname, NULL
FROM pg_type t JOIN own n ON n.schema = t.typnamespace
WHERE t.typtype = 'e' AND NOT EXISTS (SELECT FROM members WHERE classid = 'pg_type'::regclass AND objid = t.oid)
UNION ALL
SELECT 'view_security_invoker', c.oid, '', n.nspname, c.relname, NULL
FROM pg_class c JOIN own n ON n.schema = c.relnamespace
WHERE c.relkind = 'v' AND NOT coalesce(c.reloptions && '{security_invoker=true,security_invoker=on,security_invoker=1}', false)
	AND NOT EXISTS (SELECT FROM members WHERE classid = 'pg_class'::regclass AND objid = c.oid)
UNION ALL
SELECT 'security_definer_path', p.oid, '', n.nspname, format('%s(%s)', p.proname, pg_get_function_identity_arguments(p.oid)), NULL
FROM pg_proc p JOIN own n ON n.schema = p.pronamespace
WHERE p.prosecdef
	AND NOT EXISTS (SELECT FROM unnest(p.proconfig) AS setting
		WHERE setting ~ '^search_path=(""|.*pg_temp)?$' AND setting !~ '\$user')
	AND NOT EXISTS (SELECT FROM members WHERE classid = 'pg_proc'::regclass AND objid = p.oid)
