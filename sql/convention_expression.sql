-- id_default and id_check are recognised from the expression tree.
\i sql/include/convention.psql
CREATE SCHEMA regress_other;
CREATE FUNCTION regress_other.generate_id(text) RETURNS text LANGUAGE sql AS 'SELECT $1';
CREATE FUNCTION regress_other.is_id(text, text) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT true';
CREATE FUNCTION regress_other.prefix() RETURNS text LANGUAGE sql IMMUTABLE AS $$SELECT 'exa'$$;
CREATE FUNCTION pg_temp.with_default(value text) RETURNS text
RETURN pg_temp.why(pg_temp.id_sql('example', 'text COLLATE "C" PRIMARY KEY CHECK (id LIKE ''exa_%'') DEFAULT ' || value)
				   || '; DROP TABLE example');
CREATE FUNCTION pg_temp.with_check(condition text) RETURNS text
RETURN pg_temp.why(pg_temp.id_sql('example', 'text COLLATE "C" PRIMARY KEY DEFAULT generate_id(''exa'') CHECK (' || condition || ')')
				   || '; DROP TABLE example');

-- defaults that make the table's ids
SELECT pg_temp.with_default($$generate_id('exa')$$);
SELECT pg_temp.with_default($$public.generate_id('exa'::varchar)$$);
SELECT pg_temp.with_default($$(generate_id('exa')) COLLATE "C"$$);
SELECT pg_temp.with_default($$generate_id('ex' || 'a')::varchar$$);
SELECT pg_temp.with_default($$generate_id('e' || ('x'::varchar || 'a'))$$);
SET search_path = regress_other, public;
SELECT pg_temp.with_default($$public.generate_id('exa')$$);
RESET search_path;

-- fails: what only looks like it
SELECT pg_temp.with_default($$regress_other.generate_id('exa')$$);
SET search_path = regress_other, public;
SELECT pg_temp.with_default($$generate_id('exa')$$);
RESET search_path;
SELECT pg_temp.with_default($$dbkit.generate_id_at('exa', now())$$);
SELECT pg_temp.with_default($$generate_id(regress_other.prefix())$$);
SELECT pg_temp.with_default($$generate_id(current_user)$$);
SELECT pg_temp.with_default($$generate_id(lower('EXA'))$$);
SELECT pg_temp.with_default($$generate_id(CASE WHEN true THEN 'exa' END)$$);
SELECT pg_temp.with_default($$generate_id('exa' || NULL)$$);
SELECT pg_temp.with_default($$generate_id('ex' || 1)$$);
SELECT pg_temp.with_default($$generate_id('exa'::varchar(3))$$);
SELECT pg_temp.with_default($$generate_id(NULL)$$);
SELECT pg_temp.with_default($$generate_id('exa') || ''$$);
SELECT pg_temp.with_default($$substring(generate_id('exa') FROM 1)$$);
SELECT pg_temp.with_default($$trim(TRAILING 'x' FROM generate_id('exa'))$$);
SELECT pg_temp.with_default($$generate_id('exa')::varchar(10)$$);
SELECT pg_temp.with_default($$coalesce(NULL, generate_id('exa'))$$);
SELECT pg_temp.with_default($$'exa_'$$);
SELECT pg_temp.with_default($$NULL$$);
-- fails: another prefix than the CHECK's
SELECT pg_temp.with_default($$generate_id('exb')$$);
SELECT pg_temp.with_default($$generate_id('')$$);

-- CHECKs that pin the prefix
SELECT pg_temp.with_check($$id LIKE 'exa_%'$$);
SELECT pg_temp.with_check($$id LIKE 'exa\_%'$$);
SELECT pg_temp.with_check($$id LIKE 'exa#_%' ESCAPE '#'$$);
SELECT pg_temp.with_check($$id LIKE 'exa_%' ESCAPE ''$$);
SELECT pg_temp.with_check($$id LIKE ('exa' || '#_%') ESCAPE '#'$$);
SELECT pg_temp.with_check($$id COLLATE "C" LIKE 'exa_%'$$);
SELECT pg_temp.with_check($$id::varchar LIKE 'exa_%'$$);
SELECT pg_temp.with_check($$id ~~ 'exa_%'$$);
SELECT pg_temp.with_check($$"like"(id, 'exa_%')$$);
SELECT pg_temp.with_check($$starts_with(id, 'exa_')$$);
SELECT pg_temp.with_check($$id ^@ 'exa_'$$);
SELECT pg_temp.with_check($$id ^@ ('exa' || '_')$$);
SELECT pg_temp.with_check($$dbkit.is_id(id, 'exa')$$);
SELECT pg_temp.with_check($$length(id) = 30 AND id LIKE 'exa_%'$$);
SELECT pg_temp.with_check($$id <> '' AND (length(id) = 30 AND dbkit.is_id(id, 'exa'))$$);

-- fails: CHECKs that do not
SELECT pg_temp.with_check($$id LIKE 'exa%'$$);
SELECT pg_temp.with_check($$id LIKE 'exa_'$$);
SELECT pg_temp.with_check($$id LIKE 'exa_%x'$$);
SELECT pg_temp.with_check($$id LIKE '_%'$$);
SELECT pg_temp.with_check($$id LIKE '%'$$);
SELECT pg_temp.with_check($$id LIKE 'exa\%'$$);
SELECT pg_temp.with_check($$id LIKE E'exa_\\'$$);
SELECT pg_temp.with_check($$id LIKE NULL$$);
SELECT pg_temp.with_check($$id LIKE 'exa_%' ESCAPE '##'$$);
SELECT pg_temp.with_check($$id LIKE 'exa_%' ESCAPE NULL$$);
SELECT pg_temp.with_check($$id LIKE created_at::text$$);
SELECT pg_temp.with_check($$id NOT LIKE 'exa_%'$$);
SELECT pg_temp.with_check($$id ILIKE 'exa_%'$$);
SELECT pg_temp.with_check($$id SIMILAR TO 'exa_%'$$);
SELECT pg_temp.with_check($$'exa_%' LIKE id$$);
SELECT pg_temp.with_check($$NOT id LIKE 'exa_%'$$);
SELECT pg_temp.with_check($$id LIKE 'exa_%' OR storytime IS NULL$$);
SELECT pg_temp.with_check($$lower(id) LIKE 'exa_%'$$);
SELECT pg_temp.with_check($$substring(id FROM 2) LIKE 'exa_%'$$);
SELECT pg_temp.with_check($$starts_with(id, 'exa')$$);
SELECT pg_temp.with_check($$starts_with('exa_', id)$$);
SELECT pg_temp.with_check($$dbkit.is_id(id)$$);
SELECT pg_temp.with_check($$dbkit.is_id(id, NULL)$$);
SELECT pg_temp.with_check($$regress_other.is_id(id, 'exa')$$);
SELECT pg_temp.with_check($$id LIKE regress_other.prefix() || '_%'$$);
SELECT pg_temp.with_check($$storytime::text LIKE 'exa_%'$$);
-- fails: another prefix
SELECT pg_temp.with_check($$id LIKE 'exb_%'$$);
SELECT pg_temp.with_check($$starts_with(id, 'EXA_')$$);
SELECT pg_temp.with_check($$dbkit.is_id(id, 'exb')$$);

-- alike but for the constant, however it is written
SELECT pg_temp.with_check($$id LIKE 'exé_%'$$);
SELECT pg_temp.with_check($$id LIKE 'exa_%'$$);
SELECT pg_temp.with_check($$id LIKE ''$$);
SELECT pg_temp.with_check(format('id LIKE %L', repeat('ex a\', 20) || '_%'));
SELECT pg_temp.with_check($$id    LIKE    'exa_%'$$);
SELECT pg_temp.with_check($$storytime::text LIKE 'exa_%'$$);
SELECT pg_temp.with_check($$id LIKE 'exa_%' AND length(id) > 200000$$);
SELECT pg_temp.with_check($$id LIKE 'exb_%' AND length(id) > -1$$);
SELECT pg_temp.why(pg_temp.id_sql('example', $$text COLLATE "C" PRIMARY KEY DEFAULT generate_id('exa'),
	name text COLLATE "C", CHECK (id LIKE 'exa_%' AND id <> name)$$) || '; DROP TABLE example');
SELECT pg_temp.why(pg_temp.id_sql('example', $$text COLLATE "C" PRIMARY KEY DEFAULT generate_id('exa'),
	name text COLLATE "C", CHECK (name LIKE 'exa_%' AND id <> name)$$) || '; DROP TABLE example');

-- one CHECK of several is enough, also on the table, and before the rows there are have been checked
SELECT pg_temp.why(pg_temp.id_sql('example',
	$$text COLLATE "C" PRIMARY KEY DEFAULT generate_id('exa') CHECK (id <> '') CHECK (id LIKE 'exa_%'), CHECK (length(id) = 30)$$));
SELECT pg_temp.why($$ALTER TABLE example ADD CONSTRAINT pinned CHECK (id LIKE 'exa_%') NOT VALID, DROP CONSTRAINT example_id_check1$$);
SELECT pg_temp.why($$ALTER TABLE example DROP CONSTRAINT pinned$$);
SELECT pg_temp.why($$ALTER TABLE example VALIDATE CONSTRAINT pinned$$);
SELECT pg_temp.why($$ALTER TABLE example RENAME CONSTRAINT pinned TO "it's pinned"$$);
DROP TABLE example;

-- domains can say both, also one over the other, and the column's default wins
CREATE DOMAIN example_id AS text COLLATE "C" DEFAULT generate_id('exa') CHECK (VALUE LIKE 'exa_%');
CREATE DOMAIN strict_example_id AS example_id CHECK (length(VALUE) = 30);
SELECT pg_temp.why(pg_temp.id_sql('example', 'strict_example_id PRIMARY KEY'));
SELECT pg_temp.why($$ALTER TABLE example ALTER COLUMN id SET DEFAULT generate_id('exb')$$);
SELECT pg_temp.why($$ALTER DOMAIN example_id DROP DEFAULT$$);
SELECT pg_temp.why($$ALTER DOMAIN strict_example_id SET DEFAULT NULL$$);
SELECT pg_temp.why($$ALTER DOMAIN strict_example_id SET DEFAULT generate_id('exb')$$);
SELECT pg_temp.why($$ALTER DOMAIN strict_example_id SET DEFAULT public.generate_id('exa')$$);
SELECT pg_temp.why($$ALTER DOMAIN example_id DROP CONSTRAINT example_id_check$$);
DROP TABLE example;
DROP DOMAIN strict_example_id, example_id;

-- clocks
CREATE FUNCTION pg_temp.with_clock(value text) RETURNS text
RETURN pg_temp.why('CREATE TABLE example (id text COLLATE "C" PRIMARY KEY DEFAULT generate_id(''exa'') CHECK (id LIKE ''exa_%''),
	storytime jsonb, updated_at timestamptz NOT NULL DEFAULT now(), created_at timestamptz NOT NULL DEFAULT ' || value || '); DROP TABLE example');
SELECT pg_temp.with_clock('CURRENT_TIMESTAMP');
SELECT pg_temp.with_clock('CURRENT_TIMESTAMP(3)');
SELECT pg_temp.with_clock('now()::timestamptz(3)');
SELECT pg_temp.with_clock('transaction_timestamp()');
SELECT pg_temp.with_clock('statement_timestamp()');
SELECT pg_temp.with_clock('clock_timestamp()');
-- fails
SELECT pg_temp.with_clock('LOCALTIMESTAMP');
SELECT pg_temp.with_clock('CURRENT_DATE');
SELECT pg_temp.with_clock($$'now'::timestamptz$$);
SELECT pg_temp.with_clock($$now() + interval '1 day'$$);
SELECT pg_temp.with_clock($$date_trunc('day', now())$$);
SELECT pg_temp.with_clock('now()::date');
SELECT pg_temp.with_clock('NULL');

DROP SCHEMA regress_other CASCADE;
