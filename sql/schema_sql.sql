-- dbkit.schema_sql() writes the SQL of a schema that is described as JSON.
\set roles '{customer,regress_builder}'
\i sql/include/leftovers.psql
SET client_min_messages = warning;
DROP FUNCTION IF EXISTS public.dbkit_agreement;
CREATE ROLE customer;
CREATE ROLE regress_builder;
CREATE SCHEMA shop AUTHORIZATION regress_builder;
\pset tuples_only on
\pset format unaligned
\set definition '{"version": 1, "tables": [{"name": "shop.lines", "columns": [{"name": "order_id", "type": "text", "nullable": false}, {"name": "place", "type": "int", "nullable": false}, {"name": "state", "type": "varchar(20)", "default": "''new''"}, {"name": "gift", "type": "boolean", "default": false, "nullable": false}, {"name": "Price €", "type": "numeric(10, 2)", "default": 0.50}, {"name": "made", "type": "timestamp", "default": "now()"}, {"name": "organization_id", "type": "text", "nullable": false}], "primary_key": null, "foreign_keys": [{"columns": ["order_id"], "references": "shop.orders"}, {"columns": ["organization_id"], "references": "shop.organizations (id)"}], "indexes": [{"columns": ["order_id", "place"], "unique": true}, {"name": "lines_by_state", "columns": ["state", "Price €"]}]}, {"name": "shop.orders", "columns": [{"name": "id", "type": "text", "primary_key": true}, {"name": "number", "type": "bigint", "unique": true}, {"name": "favourite_line_id", "type": "text"}, {"name": "organization_id", "type": "text", "nullable": false}], "foreign_keys": [{"columns": ["favourite_line_id"], "references": "shop.orders ON DELETE SET NULL"}, {"columns": ["organization_id"], "references": "shop.organizations"}]}, {"name": "shop.organizations", "columns": [{"name": "id", "type": "text", "primary_key": true}, {"name": "name", "type": "text", "nullable": false}, {"name": "first_order_id", "type": "text"}], "foreign_keys": [{"columns": ["first_order_id"], "references": "shop.orders"}]}, {"name": "shop.orderly", "columns": []}], "migrations": ["CREATE VIEW shop.open_orders WITH (security_invoker = true) AS SELECT id FROM shop.orders", "-- two;\\nCOMMENT ON TABLE shop.orders IS ''a; b'';"]}'

-- the tables come in any order and may reference each other in a circle; nothing is made
SET ROLE regress_builder;
SELECT dbkit.schema_sql(:'definition');
SELECT count(*) FROM pg_class WHERE relnamespace = 'shop'::regnamespace;
-- as a version of the ledger it keeps all rules, and is what it says
SELECT dbkit.schema_sql(:'definition') AS sql \gset
SELECT dbkit.apply(1, :'sql', 'from a definition', 'DROP VIEW shop.open_orders; DROP TABLE shop.lines, shop.orders, shop.organizations, shop.orderly CASCADE');
RESET ROLE;
SELECT rule, object_identity, problem FROM dbkit.check() WHERE rule <> 'customer_role_confined';
SELECT conrelid::regclass, pg_get_constraintdef(oid) FROM pg_constraint WHERE connamespace = 'shop'::regnamespace AND contype = 'f' ORDER BY 1, 2;
SELECT dbkit.fingerprint() AS print \gset
BEGIN;
SELECT dbkit.run_as('regress_builder', 'SELECT dbkit.revert(1)');
SELECT dbkit.schema_sql(:'definition') = :'sql' AS again;
:sql
SELECT dbkit.fingerprint() = :'print' AS the_same_schema;
ROLLBACK;
SELECT dbkit.run_as('regress_builder', 'SELECT dbkit.revert(1)');

-- with another agreement another schema
BEGIN;
SELECT FROM dbkit.agree('{"preset": "none"}');
SELECT dbkit.schema_sql('{"tables": [{"name": "shop.b", "columns": [{"name": "a_id", "type": "int"}, {"name": "n", "type": "serial"}], "primary_key": ["n", "a_id"], "foreign_keys": [{"columns": ["a_id"], "references": "shop.a"}]}, {"name": "shop.a", "columns": [{"name": "id", "type": "int", "primary_key": true}]}]}');
ROLLBACK;
-- each migration ends before the next begins, whatever its last comment ends in
SELECT dbkit.schema_sql('{"tables": [], "migrations": ["SELECT 1 -- one;", "SELECT 2; -- two;", "SELECT 3;", "-- none;", "SELECT 4 /* ; */"]}');
SELECT dbkit.schema_sql('{"tables": []}') = '' AS nothing;
SELECT dbkit.schema_sql(NULL) IS NULL AS nothing;

-- what is no definition
\set VERBOSITY terse
CREATE FUNCTION pg_temp.wrong(definition jsonb) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	RETURN dbkit.schema_sql(definition);
EXCEPTION WHEN OTHERS THEN
	RETURN concat_ws(' ', SQLSTATE, SQLERRM);
END $$;
SELECT pg_temp.wrong(definition::jsonb) FROM (VALUES
	('[]'), ('"x"'), ('{}'), ('{"tables": {}}'), ('{"tables": [], "table": []}'), ('{"tables": [1]}'), ('{"version": "1", "tables": []}'),
	('{"tables": [{"name": "shop.a"}]}'), ('{"tables": [{"columns": []}]}'), ('{"tables": [{"name": "shop.a", "columns": [], "unique": []}]}'),
	('{"tables": [{"name": "shop.a", "columns": [{"name": "b"}]}]}'), ('{"tables": [{"name": "shop.a", "columns": [{"name": "b", "type": 1}]}]}'),
	('{"tables": [{"name": "shop.a", "columns": [{"name": "b", "type": "int", "nullable": "no"}]}]}'),
	('{"tables": [{"name": "shop.a", "columns": [{"name": "b", "type": "int", "default": []}]}]}'),
	('{"tables": [{"name": "shop.a", "columns": [{"name": "b", "type": "int, c int"}]}]}'),
	('{"tables": [{"name": "shop.a", "columns": [{"name": "b", "type": "int); CREATE TABLE shop.c ("}]}]}'),
	('{"tables": [{"name": "shop.a", "columns": [{"name": "b", "type": "nonsense"}]}]}'),
	('{"tables": [{"name": "shop.a", "columns": [{"name": "b", "type": "int", "default": "1), c int DEFAULT (2"}]}]}'),
	('{"tables": [{"name": "shop.a", "columns": [{"name": "b", "type": "int", "default": "1 +"}]}]}'),
	('{"tables": [{"name": "shop.a", "columns": [{"name": "b", "type": "int"}], "primary_key": [1]}]}'),
	('{"tables": [{"name": "shop.a", "columns": [{"name": "b", "type": "int"}], "primary_key": ["c"]}]}'),
	('{"tables": [{"name": "shop.a", "columns": [{"name": "b", "type": "int"}], "foreign_keys": [{"columns": ["b"]}]}]}'),
	('{"tables": [{"name": "shop.a", "columns": [{"name": "b", "type": "int"}], "foreign_keys": [{"columns": [], "references": "shop.a"}]}]}'),
	('{"tables": [{"name": "shop.a", "columns": [{"name": "b", "type": "int"}], "foreign_keys": [{"columns": ["b"], "references": "shop.nowhere"}]}]}'),
	('{"tables": [{"name": "shop.a", "columns": [{"name": "b", "type": "int"}], "foreign_keys": [{"columns": ["b"], "references": "shop.a, CHECK (true)"}]}]}'),
	('{"tables": [{"name": "shop.a", "columns": [{"name": "b", "type": "int"}], "indexes": [{"columns": []}]}]}'),
	('{"tables": [{"name": "shop.a", "columns": [{"name": "b", "type": "int"}], "indexes": [{"columns": ["c"]}]}]}'),
	('{"tables": [{"name": "shop.a", "columns": []}, {"name": "shop.a", "columns": []}]}'), ('{"tables": [{"name": "nowhere.a", "columns": []}]}'),
	('{"tables": [], "migrations": [1]}'), ('{"tables": [], "migrations": ["COMMIT"]}'), ('{"tables": [], "migrations": ["SELEC 1"]}'),
	('{"tables": [{"name": "shop.a", "columns": [{"name": "c", "type": "shop.mood"}]}]}')) AS wrong (definition);
-- and nothing of it is left
SELECT count(*) FROM pg_class WHERE relnamespace = 'shop'::regnamespace;
CREATE TABLE shop.refused (n int); -- fails

DROP SCHEMA shop CASCADE;
DROP ROLE regress_builder, customer;
