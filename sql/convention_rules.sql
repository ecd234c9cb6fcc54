-- Each rule on its own: what it takes, and the whole message for what it does not.
\i sql/include/convention.psql
CREATE SCHEMA rules;
SET search_path = rules, public;
SELECT id, phase, level, description, fixable FROM dbkit.rules WHERE phase = 'statement';
-- only the rules named are at level error
CREATE FUNCTION pg_temp.judge(rule text, sql text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	result text;
BEGIN
	PERFORM set_config('dbkit.rule_levels', '*=off, ' || rule || '=error', false);
	result = pg_temp.try(sql);
	SET dbkit.rule_levels = '*=error';
	DROP TABLE IF EXISTS widgets, widgets_enum;
	RETURN result;
END $$;

SELECT pg_temp.judge('primary_key', 'CREATE TABLE widgets (id text COLLATE "C" PRIMARY KEY)');
SELECT pg_temp.judge('primary_key', 'CREATE TABLE widgets (id text COLLATE "POSIX" PRIMARY KEY)');
SELECT pg_temp.judge('primary_key', 'CREATE TABLE widgets (id text COLLATE "C", CONSTRAINT pk PRIMARY KEY (id) INCLUDE (n), n int)');
SELECT pg_temp.judge('primary_key', 'CREATE TABLE widgets (id text COLLATE "C", n int, PRIMARY KEY (n, id)) PARTITION BY LIST (n)');
SELECT pg_temp.judge('primary_key', 'CREATE TABLE widgets (n int)');
SELECT pg_temp.judge('primary_key', 'CREATE TABLE widgets ("ID" text COLLATE "C" PRIMARY KEY)');
SELECT pg_temp.judge('primary_key', 'CREATE TABLE widgets (id text PRIMARY KEY)');
SELECT pg_temp.judge('primary_key', 'CREATE TABLE widgets (id text COLLATE "C" NOT NULL UNIQUE)');
SELECT pg_temp.judge('primary_key', 'CREATE TABLE widgets (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY)');
SELECT pg_temp.judge('primary_key', 'CREATE TABLE widgets (id varchar(30) COLLATE "C" PRIMARY KEY)');
SELECT pg_temp.judge('primary_key', 'CREATE TABLE widgets (id uuid PRIMARY KEY DEFAULT gen_random_uuid())');
SELECT pg_temp.judge('primary_key', 'CREATE TABLE widgets (id text, n bigint PRIMARY KEY)');
SELECT pg_temp.judge('primary_key', 'CREATE TABLE widgets (id text COLLATE "C", "n""x" int, PRIMARY KEY ("n""x", id))');
SELECT pg_temp.judge('primary_key', 'CREATE TABLE widgets (id text COLLATE "C", n int, PRIMARY KEY (n)) PARTITION BY LIST (n)');
SELECT pg_temp.judge('id_default', 'CREATE TABLE widgets (id text PRIMARY KEY)');
SELECT pg_temp.judge('id_default', $$CREATE TABLE widgets (id text DEFAULT 'x')$$);
SELECT pg_temp.judge('id_default', 'CREATE TABLE widgets (n int)');
SELECT pg_temp.judge('id_check', $$CREATE TABLE widgets (id text DEFAULT generate_id('wid'))$$);
SELECT pg_temp.judge('id_check', $$CREATE TABLE widgets (id text CHECK (id LIKE 'wid_%'))$$);
SELECT pg_temp.judge('id_check', $$CREATE TABLE widgets (id text DEFAULT generate_id('wid') CHECK (id LIKE 'wdg_%'))$$);
SELECT pg_temp.judge('id_prefix', $$CREATE TABLE widgets (id text DEFAULT generate_id('widget'))$$);
SELECT pg_temp.judge('id_prefix', $$CREATE TABLE widgets (id text CHECK (id LIKE 'Wid_%'))$$);
SELECT pg_temp.judge('created_at', 'CREATE TABLE widgets (n int)');
SELECT pg_temp.judge('created_at', 'CREATE TABLE widgets (created_at timestamp)');
SELECT pg_temp.judge('created_at', 'CREATE TABLE widgets (created_at timestamptz NOT NULL)');
SELECT pg_temp.judge('created_at', 'CREATE TABLE widgets (created_at timestamptz DEFAULT now())');
SELECT pg_temp.judge('created_at', 'CREATE TABLE widgets (created_at date NOT NULL DEFAULT now())');
SELECT pg_temp.judge('created_at', 'CREATE TABLE widgets (created_at timestamptz(3) NOT NULL DEFAULT now())');
SELECT pg_temp.judge('updated_at', 'CREATE TABLE widgets (created_at int)');
SELECT pg_temp.judge('updated_at', 'CREATE TABLE widgets (updated_at timestamptz[] NOT NULL)');
SELECT pg_temp.judge('updated_at', 'CREATE TABLE widgets (updated_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP)');
SELECT pg_temp.judge('storytime', 'CREATE TABLE widgets (n int)');
SELECT pg_temp.judge('storytime', 'CREATE TABLE widgets (storytime json)');
SELECT pg_temp.judge('storytime', 'CREATE TABLE widgets (storytime text)');
SELECT pg_temp.judge('storytime', $$CREATE TABLE widgets (storytime jsonb NOT NULL DEFAULT '{}')$$);
SELECT pg_temp.judge('timestamptz', 'CREATE TABLE widgets (a timestamp, b timestamptz, c date, d time, e timetz)');
SELECT pg_temp.judge('bigint', 'CREATE TABLE widgets (a int)');
SELECT pg_temp.judge('bigint', 'CREATE TABLE widgets (a smallint, b bigint, c numeric(5,0), d real, e oid, f "char", g int[], h int4range)');
CREATE DOMAIN code AS varchar(10);
CREATE DOMAIN codes AS varchar(10)[];
CREATE DOMAIN code_of_code AS code;
CREATE DOMAIN any_text AS varchar;
CREATE DOMAIN price AS money;
CREATE DOMAIN document AS json;
CREATE TYPE named AS (name char(3), note varchar);
CREATE TYPE priced AS (at timestamptz, prices price[]);
CREATE TYPE code_range AS RANGE (subtype = code);
CREATE TYPE money_range AS RANGE (subtype = money);
SELECT pg_temp.judge('text_type', 'CREATE TABLE widgets (a text, b varchar, c name, d "char", e varchar[], f any_text, g bit varying(3), h numeric(5), i text[], j timestamptz(3), k interval(2))');
SELECT pg_temp.judge('text_type', 'CREATE TABLE widgets (a varchar(1))');
SELECT pg_temp.judge('text_type', 'CREATE TABLE widgets (a varchar(10), b char, c character(7), d bpchar, e varchar(3)[], f char(2)[][], g code, h codes, i code_of_code, j code[], k named, l named[], m code_range, n code_multirange, "O ""k" varchar(5))');
SELECT pg_temp.judge('text_type', 'CREATE TABLE widgets_enum (value varchar(10))');
SELECT pg_temp.judge('jsonb_type', 'CREATE TABLE widgets (a jsonb, b text)');
SELECT pg_temp.judge('jsonb_type', 'CREATE TABLE widgets (a json, b json[], c document, "D e" json)');
SELECT pg_temp.judge('money_type', 'CREATE TABLE widgets (a numeric(12, 2), b bigint)');
SELECT pg_temp.judge('money_type', 'CREATE TABLE widgets (a money, b money[], c price, d priced, e money_range, f money_multirange)');
-- one ALTER for what several rules ask for
SELECT pg_temp.judge('text_type=error, text_id', 'CREATE TABLE widgets (a_id varchar(26), b_extid code, c char(5))');
SELECT pg_temp.judge('text_type=error, primary_key', 'CREATE TABLE widgets (id varchar(26) PRIMARY KEY)');
SELECT pg_temp.judge('text_type', 'CREATE TABLE widgets (id varchar(26) PRIMARY KEY, a_id varchar(26))');
SELECT pg_temp.judge('jsonb_type=error, storytime', 'CREATE TABLE widgets (storytime json)');
SELECT pg_temp.judge('jsonb_type=error, storytime=warning, text_type', 'CREATE TABLE widgets (storytime json)');
SELECT pg_temp.judge('bigint=error, text_type=error, created_at', 'CREATE TABLE widgets (created_at int, updated_at varchar(30))');
DROP TYPE priced, named, code_range, money_range;
DROP DOMAIN code_of_code, code, codes, any_text, price, document;
SELECT pg_temp.judge('text_id', 'CREATE TABLE widgets (id int, a_id text COLLATE "C", b_extid text COLLATE "C", paid int, "x_ID" int, _id text COLLATE "C")');
SELECT pg_temp.judge('text_id', 'CREATE TABLE widgets (a_id uuid)');
SELECT pg_temp.judge('text_id', 'CREATE TABLE widgets (a_id text, b_extid varchar COLLATE "C", _id int)');
SELECT pg_temp.judge('enum_table', 'CREATE TABLE widgets_enum (value text PRIMARY KEY)');
SELECT pg_temp.judge('enum_table', 'CREATE TABLE widgets_enum (value text COLLATE "C" PRIMARY KEY, label text, n int)');
SELECT pg_temp.judge('enum_table', 'CREATE TABLE widgets_enum (name text PRIMARY KEY)');
SELECT pg_temp.judge('enum_table', 'CREATE TABLE widgets_enum (value text)');
SELECT pg_temp.judge('enum_table', 'CREATE TABLE widgets_enum (value varchar(20) PRIMARY KEY)');
SELECT pg_temp.judge('enum_table', 'CREATE TABLE widgets_enum (value text, n int, PRIMARY KEY (value, n))');
SELECT pg_temp.judge('enum_table', 'CREATE TABLE widgets_enum (value int, n int PRIMARY KEY)');

-- names
SELECT pg_temp.judge('snake_case', 'CREATE TABLE widgets (a_1 text, _b text, name text, type text, value text, year text, xmin2 text, ' || repeat('x', 63) || ' text)');
SELECT pg_temp.judge('snake_case', 'CREATE TABLE "orderLines" ("orderDate" text, "URLOfHTTPServer" text, "userID" text, "Zip Code" text, "a--b" text, "A$" text, "Address2Line" text, "snake_Case" text)');
SELECT pg_temp.judge('snake_case', 'CREATE TABLE widgets ("order" text, "Order" text, "left" text, position text, "1st" text, "Größe" text, foo text, "Foo" text, "' || repeat('Ab', 31) || '" text, "%" text, "a""b" text)');
SELECT pg_temp.judge('snake_case', 'CREATE TABLE widgets ("fooBar" int NOT NULL DEFAULT 7, "foo_Bar" text, c text)');
SELECT pg_temp.judge('snake_case', 'CREATE TABLE widgets ("fooBar" int CHECK ("fooBar" > 0), c text)');
SELECT pg_temp.judge('snake_case=error, bigint=error, text_type', 'CREATE TABLE widgets ("fooBar" int NOT NULL, "shortName" varchar(10))');
SELECT pg_temp.judge('snake_case=error, bigint', 'CREATE TABLE widgets ("fooBar" int NOT NULL)');
SET quote_all_identifiers = on;
SELECT pg_temp.judge('snake_case', 'CREATE TABLE widgets (a text)');
RESET quote_all_identifiers;
SET dbkit.rule_levels = '*=off';
CREATE TABLE taken ();
CREATE SEQUENCE order_lines;
SELECT pg_temp.judge('snake_case', 'CREATE TABLE "Taken" ()');
SELECT pg_temp.judge('snake_case', 'CREATE TABLE "OrderLines" ()');
SELECT pg_temp.judge('snake_case', 'ALTER TABLE taken RENAME TO "isTaken"');
SELECT pg_temp.judge('snake_case', 'ALTER TABLE taken ADD "addedLater" bigint DEFAULT 1');
SELECT pg_temp.judge('snake_case', 'CREATE TABLE "Widgets_enum" ("Value" text PRIMARY KEY)');
DROP TABLE taken, "Widgets_enum";
DROP SEQUENCE order_lines;

-- functions
SELECT pg_temp.judge('function_search_path', $$CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'$$);
SELECT pg_temp.judge('function_search_path', $$CREATE FUNCTION "F ""x"(a int, "B" text DEFAULT 'x', OUT c int) LANGUAGE plpgsql SET work_mem = '1MB' AS 'BEGIN END'$$);
SELECT pg_temp.judge('function_search_path', $$CREATE PROCEDURE p(INOUT a int) LANGUAGE plpgsql AS 'BEGIN END'$$);
SELECT pg_temp.judge('function_search_path', $$CREATE FUNCTION g() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'$$);
SELECT pg_temp.judge('function_search_path', $$CREATE FUNCTION f() RETURNS int LANGUAGE sql SET search_path = '' AS 'SELECT 1'$$);
SELECT pg_temp.judge('function_search_path', $$CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 2'$$);
SELECT pg_temp.judge('function_search_path', 'ALTER FUNCTION f() RESET ALL');
SELECT pg_temp.judge('function_search_path', 'ALTER FUNCTION f() SET search_path FROM CURRENT');
SELECT pg_temp.judge('function_search_path', 'CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE sql RETURN 1');
SELECT pg_temp.judge('function_search_path', 'CREATE PROCEDURE p() LANGUAGE sql BEGIN ATOMIC SELECT 1; END');
SELECT pg_temp.judge('function_search_path', $$CREATE FUNCTION internal(float8) RETURNS float8 LANGUAGE internal STRICT AS 'dsqrt'$$);
SELECT pg_temp.judge('function_search_path', $$CREATE FUNCTION numbered() RETURNS bigint LANGUAGE internal WINDOW AS 'window_row_number'$$);
SELECT pg_temp.judge('function_search_path', 'CREATE AGGREGATE sums(bigint) (SFUNC = int8pl, STYPE = bigint)');
-- one cause: without SECURITY DEFINER, and with
SELECT pg_temp.judge('security_definer_path=error, function_search_path', $$CREATE FUNCTION d() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1'$$);
SELECT pg_temp.judge('security_definer_path=warning, function_search_path', $$CREATE FUNCTION d() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1'$$);
SELECT pg_temp.judge('security_definer_path', $$CREATE FUNCTION d() RETURNS int LANGUAGE sql AS 'SELECT 1'$$);
-- what was there before is not new, and what is exempt is not judged
SELECT pg_temp.judge('function_search_path', 'ALTER FUNCTION d() STABLE');
SELECT pg_temp.judge('function_search_path', 'ALTER FUNCTION d() RENAME TO e');
SELECT dbkit.exempt('rules.exempt', 'function_search_path', 'a reason');
SELECT pg_temp.judge('function_search_path', $$CREATE FUNCTION exempt() RETURNS int LANGUAGE sql AS 'SELECT 1'$$);
SELECT dbkit.unexempt('rules.exempt', 'function_search_path');
SELECT dbkit.agree('{"exemptions": null}') \gset
SET dbkit.rule_levels = '*=off, function_search_path=fix';
CREATE FUNCTION fixed(int) RETURNS int LANGUAGE sql AS 'SELECT 1';
SELECT proconfig FROM pg_proc WHERE proname = 'fixed';
SET dbkit.rule_levels = '*=off, function_search_path=warning';
SELECT object_identity, problem, fix FROM dbkit.check_schema('rules');
SET dbkit.rule_levels = '*=error';
DROP ROUTINE f(), p(), internal(float8), numbered(), sums(bigint), e(), exempt(), fixed(int);

-- all at once, as a newcomer meets them
SELECT pg_temp.try('CREATE TABLE widgets (id serial PRIMARY KEY, created_at timestamp, count int, owner_id uuid)');

-- ids that are UUIDs
SELECT dbkit.agree('{"id_style": "uuid"}') \gset
SELECT pg_temp.judge('primary_key', 'CREATE TABLE widgets (id uuid PRIMARY KEY DEFAULT gen_random_uuid())');
SELECT pg_temp.judge('primary_key', $$CREATE TABLE widgets (id uuid PRIMARY KEY DEFAULT dbkit.id_uuid(generate_id('')))$$);
SELECT pg_temp.judge('primary_key', 'CREATE TABLE widgets (id uuid PRIMARY KEY)');
SELECT pg_temp.judge('primary_key', $$CREATE TABLE widgets (id uuid PRIMARY KEY DEFAULT '00000000-0000-0000-0000-000000000000')$$);
SELECT pg_temp.judge('primary_key', 'CREATE TABLE widgets (id text PRIMARY KEY)');
SELECT pg_temp.judge('primary_key', 'CREATE TABLE widgets (n int)');
SELECT pg_temp.judge('id_default', 'CREATE TABLE widgets (id uuid PRIMARY KEY)');
SELECT pg_temp.judge('id_check', 'CREATE TABLE widgets (id uuid PRIMARY KEY)');
SELECT pg_temp.judge('id_prefix', $$CREATE TABLE widgets (id text DEFAULT generate_id('widget'))$$);
SELECT pg_temp.judge('text_id', 'CREATE TABLE widgets (a_id uuid, b_id text, c_extid text COLLATE "C")');
SELECT pg_temp.judge('text_id', 'CREATE TABLE widgets (a_id bigint)');
SELECT pg_temp.judge('bigint', 'CREATE TABLE widgets (id int, a_id int)');
SELECT dbkit.agree('{"id_style": null}') \gset
DROP SCHEMA rules;
