-- Put rows into every table, in an order that foreign keys allow: CALL dbkit_trial.fill(5).
-- The values of a row are guesses by type; where a constraint refuses them, other ones are
-- tried, also what the constraints themselves name.  The guesses are the same each time.

CREATE SCHEMA dbkit_trial;

-- The tables: rows that could be inserted, the error where there are fewer than wanted, and
-- a statement that inserts one more row and was tried
CREATE TABLE dbkit_trial.filled (relation oid PRIMARY KEY, name text, rows bigint DEFAULT 0, failed integer DEFAULT 0, error text, one_more text);

-- Return a value of a type for the nth row, as text.
CREATE FUNCTION dbkit_trial.value(type oid, typmod integer, n integer, word text) RETURNS text STABLE LANGUAGE plpgsql AS $$
DECLARE
	t pg_type := (SELECT t FROM pg_type t WHERE oid = type);
	size integer := CASE WHEN typmod > 4 AND t.typname IN ('varchar', 'bpchar') THEN typmod - 4 END;
	part oid := CASE t.typtype WHEN 'r' THEN (SELECT rngsubtype FROM pg_range WHERE rngtypid = type) ELSE t.typelem END;
BEGIN
	IF t.typtype = 'd' THEN
		RETURN dbkit_trial.value(t.typbasetype, t.typtypmod, n, word);
	END IF;
	RETURN CASE t.typcategory
		WHEN 'A' THEN ARRAY[dbkit_trial.value(part, -1, n, word)]::text
		WHEN 'B' THEN (n % 2 = 0)::text
		WHEN 'D' THEN ('2024-01-15 12:34:56.789+00'::timestamptz + n * interval '25 hours')::text
		WHEN 'E' THEN (SELECT (array_agg(enumlabel ORDER BY enumsortorder))[1 + n % count(*)] FROM pg_enum WHERE enumtypid = type)
		WHEN 'G' THEN format('(%s,%s)', n, n)
		WHEN 'I' THEN '10.0.0.' || n
		WHEN 'N' THEN n::text
		WHEN 'R' THEN '[' || dbkit_trial.value(part, -1, n, word) || ',]'
		WHEN 'S' THEN coalesce(left(n || word, size), n || word)
		WHEN 'T' THEN n || ' hours'
		WHEN 'V' THEN repeat('1', greatest(typmod, 1))
		ELSE CASE t.typname
			WHEN 'bytea' THEN '\x' || md5(n || word)
			WHEN 'json' THEN format('{"n": %s}', n)
			WHEN 'jsonb' THEN format('{"n": %s}', n)
			WHEN 'macaddr' THEN '08:00:2b:01:02:' || lpad(to_hex(n), 2, '0')
			WHEN 'uuid' THEN md5(n || word)
			WHEN 'xml' THEN format('<n>%s</n>', n)
			WHEN 'hstore' THEN 'n=>' || n
			ELSE word || n
		END
	END;
END $$;

-- Return what constraints name that could be a value of a column: constants, what regular
-- expressions begin with, and something of the length of each number.
CREATE FUNCTION dbkit_trial.named_values(relation oid, col pg_attribute, n integer) RETURNS text[] STABLE LANGUAGE sql AS $$
	WITH definition AS (
		SELECT pg_get_constraintdef(oid) AS text FROM pg_constraint
		WHERE contype = 'c' AND (conrelid = relation AND conkey @> ARRAY[(col).attnum] OR contypid = (col).atttypid)),
	constant AS (
		SELECT DISTINCT m[1] AS text FROM definition, regexp_matches(definition.text, '''((?:[^'']|'''')*)''', 'g') m),
	number AS (
		SELECT DISTINCT m[1]::bigint AS n FROM definition, regexp_matches(definition.text, '[^\w''](\d{1,6})\y', 'g') m)
	SELECT array_agg(v) FROM (
		SELECT text FROM constant
		UNION ALL SELECT substring(text, '^\^?\(?([\w-]+)') || left(md5(n::text), 10) FROM constant WHERE text ~ '[%^$]'
		UNION ALL SELECT unnest(ARRAY[number.n::text, (number.n + 1)::text, lpad(named_values.n::text, least(number.n, 9999)::integer, '0')]) FROM number
		ORDER BY 1) AS found(v)
$$;

-- Return the values to try for a column of the nth row: first what the type suggests, in
-- every fourth row NULL where that may be.
CREATE FUNCTION dbkit_trial.values(relation oid, col pg_attribute, n integer) RETURNS text[] STABLE LANGUAGE sql AS $$
	SELECT CASE WHEN NOT col.attnotnull AND n % 4 = 0 THEN ARRAY[NULL::text] END
		|| ARRAY[dbkit_trial.value(col.atttypid, col.atttypmod, n, col.attname)]
		|| coalesce(dbkit_trial.named_values(relation, col, n), '{}')
		|| CASE WHEN typcategory = 'S' THEN ARRAY[md5(n || col.attname), upper(md5(n || col.attname)), n || '.0.0', format('n%s@example.com', n), 'https://example.com/' || n, '+155500000' || n] END
		|| CASE typcategory WHEN 'N' THEN ARRAY['0', '1', (1000 + n)::text] WHEN 'D' THEN ARRAY[now()::text, 'infinity'] END
		|| CASE WHEN NOT col.attnotnull THEN ARRAY[NULL::text] END
	FROM pg_type WHERE oid = col.atttypid
$$;

-- Choose the columns of the foreign keys for a row: of the next row of each parent that
-- agrees with the columns chosen already.  In every third row NULL where that may be.
-- Returns NULL where a parent is missing.
CREATE FUNCTION dbkit_trial.keys(relation oid, n integer, attempt integer) RETURNS jsonb STABLE LANGUAGE plpgsql AS $$
DECLARE
	key record;
	chosen jsonb := '{}';
	parents jsonb[];
BEGIN
	FOR key IN
		SELECT c.confrelid::regclass AS parent, c.conname,
			array_agg(a.attname ORDER BY i) AS columns, array_agg(p.attname ORDER BY i) AS keys,
			array_agg(a.attname) FILTER (WHERE NOT a.attnotnull) AS nullable
		FROM pg_constraint c, unnest(c.conkey, c.confkey) WITH ORDINALITY AS k(attnum, parent_attnum, i)
			JOIN pg_attribute a USING (attnum) JOIN pg_attribute p ON p.attnum = parent_attnum
		WHERE c.contype = 'f' AND c.conrelid = relation AND a.attrelid = relation AND p.attrelid = c.confrelid AND c.conparentid = 0
		GROUP BY c.oid ORDER BY cardinality(c.conkey) DESC, c.conname
	LOOP
		EXECUTE format('SELECT array_agg(to_jsonb(p) ORDER BY p::text COLLATE "C") FROM %s p WHERE %s', key.parent,
			(SELECT string_agg(CASE WHEN chosen ->> c IS NULL THEN 'true' ELSE format('p.%I = %L', k, chosen ->> c) END, ' AND ')
			 FROM unnest(key.columns, key.keys) AS u(c, k))) INTO parents;
		IF key.nullable IS NOT NULL AND (parents IS NULL OR n % 3 = 0) THEN
			chosen := (SELECT jsonb_object_agg(c, NULL) FROM unnest(key.nullable) c) || chosen;
		ELSIF parents IS NULL THEN
			RETURN NULL;
		ELSE
			chosen := chosen || (SELECT jsonb_object_agg(c, parents[1 + (n - 1 + attempt) % cardinality(parents)] -> k) FROM unnest(key.columns, key.keys) AS u(c, k));
		END IF;
	END LOOP;
	RETURN chosen;
END $$;

-- A column that a row may give: whether it is left out otherwise, and the values to try
CREATE TYPE dbkit_trial.choice AS (name text, attnum smallint, is_optional boolean, candidates text[]);

-- Return the columns of the nth row.  Every fourth row leaves defaults to the table.
CREATE FUNCTION dbkit_trial.choices(relation oid, n integer) RETURNS dbkit_trial.choice[] STABLE LANGUAGE sql AS $$
	SELECT array_agg((a.attname, a.attnum, a.atthasdef AND (n % 4 = 2 OR pg_get_expr(d.adbin, d.adrelid) ~ 'nextval'), dbkit_trial.values(relation, a, n))::dbkit_trial.choice ORDER BY a.attnum)
	FROM pg_attribute a LEFT JOIN pg_attrdef d ON adrelid = attrelid AND adnum = attnum
	WHERE a.attrelid = relation AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '' AND a.attidentity = ''
$$;

-- Write the INSERT of a row.  Columns in "doubtful" get a value chosen at random.
CREATE FUNCTION dbkit_trial.insertion(relation regclass, choices dbkit_trial.choice[], keys jsonb, doubtful smallint[]) RETURNS text LANGUAGE sql AS $$
	SELECT format(CASE WHEN count(*) = 0 THEN 'INSERT INTO %s DEFAULT VALUES' ELSE 'INSERT INTO %s (%s) VALUES (%s)' END,
		relation, string_agg(quote_ident(name), ', '), string_agg(quote_nullable(
			CASE WHEN keys ? name THEN keys ->> name
				WHEN attnum = ANY (doubtful) THEN candidates[1 + floor(random() * cardinality(candidates))::integer]
				ELSE candidates[1] END), ', '))
	FROM unnest(choices) WHERE keys ? name OR NOT is_optional OR attnum = ANY (doubtful)
$$;

-- Insert a row, or with "keep" false only try it; return the statement that worked, else
-- raise nothing and leave the reason in dbkit_trial.filled.
CREATE FUNCTION dbkit_trial.try_row(relation oid, n integer, keep boolean) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	keys jsonb;
	choices dbkit_trial.choice[] := dbkit_trial.choices(relation, n);
	doubtful smallint[] := '{}';
	statement text;
	reason text;
	refused_by text;
	column_name text;
BEGIN
	FOR attempt IN 0 .. 20 LOOP
		keys := dbkit_trial.keys(relation, n, attempt);
		IF keys IS NULL THEN
			UPDATE dbkit_trial.filled SET error = coalesce(error, 'a parent has no row') WHERE filled.relation = try_row.relation;
			RETURN NULL;
		END IF;
		statement := dbkit_trial.insertion(relation, choices, keys, doubtful);
		BEGIN
			EXECUTE statement;
			SET CONSTRAINTS ALL IMMEDIATE;
			IF keep THEN
				RETURN statement;
			END IF;
			RAISE SQLSTATE 'TRIED';
		EXCEPTION WHEN SQLSTATE 'TRIED' THEN
			RETURN statement;
		WHEN OTHERS THEN
			GET STACKED DIAGNOSTICS reason = MESSAGE_TEXT, refused_by = CONSTRAINT_NAME, column_name = COLUMN_NAME;
			doubtful := doubtful || coalesce(
				(SELECT ARRAY[attnum] FROM pg_attribute WHERE attrelid = relation AND attname = column_name),
				(SELECT conkey FROM pg_constraint WHERE conrelid = relation AND conname = refused_by AND contype <> 'f'),
				(SELECT array_agg(attnum) FROM pg_attribute a JOIN pg_constraint c ON c.contypid = a.atttypid WHERE attrelid = relation AND attnum > 0 AND conname = refused_by),
				(SELECT array_agg(attnum) FROM pg_attribute WHERE attrelid = relation AND attnum > 0));
			IF attempt > 5 THEN
				doubtful := (SELECT array_agg(attnum) FROM pg_attribute WHERE attrelid = relation AND attnum > 0);
			END IF;
		END;
	END LOOP;
	UPDATE dbkit_trial.filled SET failed = failed + 1, error = reason WHERE filled.relation = try_row.relation;
	RETURN NULL;
END $$;

-- Fill all tables.
CREATE PROCEDURE dbkit_trial.fill(wanted integer) LANGUAGE plpgsql AS $$
DECLARE
	t record;
	progress boolean := true;
	there bigint;
	statement text;
BEGIN
	PERFORM setseed(0.5);
	INSERT INTO dbkit_trial.filled (relation, name)
		SELECT c.oid, format('%I.%I', nspname, relname) FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
		WHERE relkind IN ('r', 'p') AND NOT relispartition AND nspname !~ '^(pg_|information_schema$|dbkit)'
			AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e');
	WHILE progress OR current_setting('session_replication_role') = 'origin' LOOP
		-- What the tables' own triggers refuse is inserted without them.
		IF NOT progress THEN
			SET session_replication_role = replica;
			UPDATE dbkit_trial.filled SET failed = 0;
		END IF;
		progress := false;
		FOR t IN SELECT relation, failed, rows FROM dbkit_trial.filled WHERE failed < 3 ORDER BY name LOOP
			EXECUTE format('SELECT count(*) FROM %s', t.relation::regclass) INTO there;
			IF there < wanted AND dbkit_trial.try_row(t.relation, (there + t.failed + 1)::integer, true) IS NOT NULL THEN
				progress := true;
			END IF;
			COMMIT;
		END LOOP;
	END LOOP;
	RESET session_replication_role;
	FOR t IN SELECT relation FROM dbkit_trial.filled LOOP
		-- one in which nothing is left out
		statement := dbkit_trial.try_row(t.relation, wanted / 12 * 12 + 19, false);
		UPDATE dbkit_trial.filled SET one_more = statement WHERE relation = t.relation;
		EXECUTE format('UPDATE dbkit_trial.filled SET rows = (SELECT count(*) FROM %s) WHERE relation = %s', t.relation::regclass, t.relation);
		COMMIT;
	END LOOP;
END $$;
