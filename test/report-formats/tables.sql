-- What dbkit.describe() is about, as the catalog has it: independent of how dbkit reads it.
SELECT coalesce(jsonb_agg(t ORDER BY schema <> 'public', schema COLLATE "C", relname COLLATE "C"), '[]')
FROM (
	SELECT n.nspname AS schema, c.relname, concat(CASE WHEN n.nspname <> 'public' THEN concat(quoted.schema, '.') END, quoted.name) AS name,
		relkind IN ('v', 'm') AS is_view, obj_description(c.oid, 'pg_class') AS comment,
		(SELECT count(*) FROM pg_constraint WHERE conrelid = c.oid AND contype = 'f' AND conparentid = 0) AS foreign_keys,
		(SELECT coalesce(jsonb_agg(jsonb_build_object('name', attname, 'comment', col_description(attrelid, attnum)) ORDER BY attnum), '[]')
			FROM pg_attribute WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped) AS columns
	FROM pg_class AS c
	JOIN pg_namespace AS n ON n.oid = relnamespace
	CROSS JOIN LATERAL (SELECT CASE WHEN nspname ~ '^[a-z_][a-z0-9_$]*$' THEN nspname ELSE concat('"', replace(nspname, '"', '""'), '"') END,
		CASE WHEN relname ~ '^[a-z_][a-z0-9_$]*$' THEN relname ELSE concat('"', replace(relname, '"', '""'), '"') END) AS quoted(schema, name)
	WHERE relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT relispartition AND nspname !~ '^pg_|^information_schema$|^dbkit$'
) AS t
