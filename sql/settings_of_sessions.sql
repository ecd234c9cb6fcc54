-- What a session sets for the text of SQL changes no answer: neither how PostgreSQL writes
-- the expressions that are read, nor how a backslash in a literal is read.
\set roles '{regress_settings}'
\i sql/include/leftovers.psql
\i sql/include/convention.psql
\set VERBOSITY terse
CREATE ROLE regress_settings;
SET dbkit.rule_levels = '*=off';
CREATE TABLE documents (id text COLLATE "C" PRIMARY KEY DEFAULT generate_id('doc') CHECK (id LIKE 'doc\_%'), organization_id text COLLATE "C");
ALTER TABLE documents ENABLE ROW LEVEL SECURITY;
CREATE POLICY forgeable ON documents TO regress_settings USING (organization_id = current_setting('my.tenant'));
CREATE POLICY unset ON documents TO regress_settings USING (organization_id = 'x' OR current_setting('my.tenant', true) IS NULL);
CREATE TABLE mixed (id text COLLATE "C" PRIMARY KEY DEFAULT generate_id('mix') CHECK (id LIKE 'mxd\_%'), "orderDate" timestamptz);
SET dbkit.rule_levels = '*=off, id_default=error, id_check=error, id_prefix=error, open_policy=error, forgeable_policy=error, snake_case=error';
SELECT rule, replace(object_identity, '"', ''), replace(problem, '"', '') FROM dbkit.check();
SELECT prefix FROM dbkit.id_prefix ORDER BY 1;

SET quote_all_identifiers = on;
SELECT rule, replace(object_identity, '"', ''), replace(problem, '"', '') FROM dbkit.check();
SELECT prefix FROM dbkit.id_prefix ORDER BY 1;
SELECT dbkit.verify();
RESET quote_all_identifiers;

SET standard_conforming_strings = off;
SELECT rule, replace(object_identity, '"', ''), replace(problem, '"', '') FROM dbkit.check();
SELECT prefix FROM dbkit.id_prefix ORDER BY 1;
SELECT dbkit.verify();
SET dbkit.rule_levels = 'rls_enabled=off, rls_policy=off';

-- agreements
SELECT dbkit.agree('{"updated_at_functions": ["touch(()"]}');  -- fails
SELECT dbkit.agree(E'{"user_tables": ["\\"user\\" . users", "accounts"]}');
SELECT dbkit.exempt('public.mi%', 'extid', E' \t');  -- fails
SELECT dbkit.exempt(E'public.%\\', 'extid', 'why');  -- fails
SELECT dbkit.exempt(E'public.mi\\_%', 'extid', 'why');
SELECT dbkit.agreement() -> 'user_tables', dbkit.agreement() -> 'exemptions';
SELECT object, rule FROM dbkit.exemption WHERE NOT builtin;
SELECT dbkit.agree('{"user_tables": null, "exemptions": null}') -> 'user_tables';

-- tables and their protection
SET quote_all_identifiers = on;
SET client_min_messages = error;
CREATE SCHEMA made;
SELECT dbkit.create_table('made.notes', 'organization_extid text NOT NULL', 'nte') IS NOT NULL;
SELECT count(*) FROM dbkit.check('made.notes');
SELECT dbkit.table_of('nte_01h455vb4pex5vsknk084sn02q')::oid = 'made.notes'::regclass;
SELECT replace(dbkit.protect_sql('made.notes', role => 'regress_settings', organization_column => 'organization_extid'), '"', '');
SELECT dbkit.protect('made.notes', role => 'regress_settings', organization_column => 'organization_extid');
SELECT count(*) FROM pg_attrdef d JOIN pg_attribute a ON attrelid = adrelid AND attnum = adnum WHERE adrelid = 'made.notes'::regclass AND attname = 'organization_extid';
SELECT dbkit.unprotect('made.notes', 'regress_settings');
SELECT count(*) FROM pg_attrdef d JOIN pg_attribute a ON attrelid = adrelid AND attnum = adnum WHERE adrelid = 'made.notes'::regclass AND attname = 'organization_extid';
RESET quote_all_identifiers;

-- the values of enums
SET dbkit.rule_levels = '*=off';
SELECT dbkit.create_enum('odd', ARRAY[E'a\\b', 'c', 'd']);
CREATE TABLE uses (odd text DEFAULT E'a\\b' REFERENCES odd_enum);
SELECT dbkit.rename_enum_value('odd_enum', E'a\\b', E'e\\f');
INSERT INTO uses DEFAULT VALUES RETURNING odd;
SELECT dbkit.drop_enum_value('odd_enum', E'e\\f', 'c');
INSERT INTO uses DEFAULT VALUES RETURNING odd;

-- typed JSON
SELECT dbkit.from_typed_json(NULL::odd_enum, dbkit.to_typed_json(ROW(E'a\\"b')::odd_enum)), dbkit.to_typed_json('[2:3]={1,2}'::bigint[]);
RESET standard_conforming_strings;

DROP TABLE documents, mixed, uses, odd_enum;
DROP SCHEMA made CASCADE;
DROP ROLE regress_settings;
