-- The names that a team has for its columns, tables and functions are agreed on.
\set ECHO none
\pset format unaligned
\pset tuples_only on
\pset null NULL
\set SHOW_CONTEXT never
\set roles '{regress_customer}'
\i sql/include/leftovers.psql
CREATE ROLE regress_customer;
SET client_min_messages = warning;
\set ECHO all
SELECT dbkit.agree('{"id_style": "bigint", "rules": {"*": "off", "created_at": "error", "updated_at": "error", "updated_at_trigger": "error",
	"text_id": "error", "extid": "error"}}');

-- created_at_columns, updated_at_columns: the first is proposed where there is none, any of them will do
SELECT dbkit.agree('{"created_at_columns": ["createdAt", "created_at"], "updated_at_columns": ["updatedAt"]}') -> 'created_at_columns';
CREATE TABLE widgets (n bigint); -- fails
CREATE TABLE widgets (created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now()); -- fails
CREATE TABLE widgets ("createdAt" timestamp, "updatedAt" timestamptz NOT NULL DEFAULT now()); -- fails
BEGIN;
CREATE TABLE widgets ("createdAt" timestamptz NOT NULL DEFAULT now(), "updatedAt" timestamptz NOT NULL DEFAULT now());
COMMIT; -- fails
BEGIN;
CREATE TABLE widgets ("createdAt" timestamptz NOT NULL DEFAULT now(), "updatedAt" timestamptz NOT NULL DEFAULT now());
CREATE TRIGGER updated_at BEFORE UPDATE ON widgets FOR EACH ROW EXECUTE FUNCTION updated_at();
COMMIT; -- fails
BEGIN;
CREATE TABLE widgets ("createdAt" timestamptz NOT NULL DEFAULT now(), "updatedAt" timestamptz NOT NULL DEFAULT now());
CREATE TRIGGER updated_at BEFORE UPDATE ON widgets FOR EACH ROW EXECUTE FUNCTION updated_at('updatedAt');
COMMIT;
DROP TABLE widgets;
BEGIN;
SET LOCAL dbkit.rule_levels = 'created_at=fix, updated_at=fix, updated_at_trigger=fix';
CREATE TABLE widgets (n bigint);
COMMIT;
\d widgets
DROP TABLE widgets;
-- none at all: nothing is demanded
SELECT dbkit.agree('{"created_at_columns": [], "updated_at_columns": []}') -> 'created_at_columns';
CREATE TABLE widgets (n bigint);
DROP TABLE widgets;
SELECT dbkit.agree('{"created_at_columns": null, "updated_at_columns": null}') -> 'created_at_columns';

-- updated_at_functions: a trigger of the team's own is recognised, and it is said how to name its function
CREATE FUNCTION set_updated_at() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	NEW.updated_at := now();
	RETURN NEW;
END $$;
CREATE FUNCTION "Audit"() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
CREATE FUNCTION pg_temp.make(triggers text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	CREATE TABLE public.widgets (created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now(), n bigint);
	EXECUTE triggers;
END $$;
SELECT pg_temp.make('CREATE TRIGGER stamp BEFORE UPDATE ON widgets FOR EACH ROW EXECUTE FUNCTION set_updated_at()'); -- fails
SELECT pg_temp.make('CREATE TRIGGER audit BEFORE UPDATE ON widgets FOR EACH ROW EXECUTE FUNCTION "Audit"()'); -- fails
SELECT pg_temp.make('CREATE TRIGGER stamp BEFORE UPDATE ON widgets FOR EACH ROW EXECUTE FUNCTION "Audit"(''updated_at'')'); -- fails
SELECT pg_temp.make('CREATE TRIGGER stamp BEFORE UPDATE OF n ON widgets FOR EACH ROW EXECUTE FUNCTION set_updated_at()'); -- fails
SELECT dbkit.agree('{"updated_at_functions": ["public.set_updated_at"]}') -> 'updated_at_functions';
SELECT pg_temp.make('CREATE TRIGGER stamp BEFORE UPDATE ON widgets FOR EACH ROW EXECUTE FUNCTION set_updated_at()');
DROP TABLE widgets;
-- with a function of its own the team is told to use that
SELECT pg_temp.make('SELECT'); -- fails
SELECT pg_temp.make('CREATE TRIGGER stamp BEFORE UPDATE ON widgets FOR EACH ROW EXECUTE FUNCTION "Audit"(''updated_at'')'); -- fails
SELECT dbkit.agree('{"updated_at_functions": ["public.set_updated_at", "public.\"Audit\""]}') -> 'updated_at_functions';
SELECT pg_temp.make('CREATE TRIGGER stamp BEFORE UPDATE ON widgets FOR EACH ROW EXECUTE FUNCTION "Audit"()');
DROP TABLE widgets;
-- without its schema the function may be anybody's: no fix is offered
SELECT dbkit.agree('{"updated_at_functions": ["set_updated_at"]}') -> 'updated_at_functions';
SELECT pg_temp.make('SELECT'); -- fails
DROP FUNCTION set_updated_at(), "Audit"();
SELECT dbkit.agree('{"rules": {"created_at": "off", "updated_at": "off", "updated_at_trigger": "off"}}') ->> 'id_style';

-- id_suffixes, extid_suffixes: the new name keeps the style
CREATE TABLE widgets ("customerId" text);
DROP TABLE widgets;
SELECT dbkit.agree('{"id_suffixes": ["Id", "_id"], "extid_suffixes": ["_extid", "Extid"]}') -> 'id_suffixes';
CREATE TABLE widgets ("customerId" bigint, order_id bigint, paid boolean, "chargeExtid" text, charge_extid text); -- fails
SELECT dbkit.agree('{"extid_suffixes": ["ExtId"]}') -> 'extid_suffixes';
CREATE TABLE widgets ("customerId" bigint, order_id bigint); -- fails
CREATE TABLE widgets ("customerExtId" text, order_extid text);
DROP TABLE widgets;
BEGIN;
CREATE TABLE widgets (id bigint PRIMARY KEY);
CREATE TABLE parts ("widgetId" integer REFERENCES widgets); -- fails
ROLLBACK;
BEGIN;
SET LOCAL dbkit.rule_levels = 'extid=fix';
CREATE TABLE widgets ("customerId" bigint);
COMMIT;
SELECT attname FROM pg_attribute WHERE attrelid = 'widgets'::regclass AND attnum > 0;
DROP TABLE widgets;

-- organization_tables and organization_columns
SELECT dbkit.agree('{"rules": {"extid": "off", "organization_scope": "error"}, "organization_tables": ["tenants", "\"Account\""],
	"organization_columns": ["tenantId", "tenant_id"], "user_columns": ["ownerId", "owner_id"], "user_tables": ["people"]}') ->> 'id_style';
CREATE TABLE tenants (id bigint PRIMARY KEY);
CREATE TABLE "Account" (id bigint PRIMARY KEY);
CREATE TABLE people (id bigint PRIMARY KEY, tenant_id bigint NOT NULL REFERENCES tenants);
CREATE TABLE widgets (n bigint); -- fails
CREATE TABLE widgets (tenant_id bigint); -- fails
CREATE TABLE widgets (tenant_id bigint REFERENCES tenants); -- fails
CREATE TABLE widgets (tenant_id bigint NOT NULL REFERENCES tenants, owner_id bigint);
CREATE TABLE gadgets ("ownerId" bigint, organization_id bigint, account bigint NOT NULL REFERENCES "Account");
-- protect() knows them as well
SELECT dbkit.protect('tenants', role => 'regress_customer');
SELECT dbkit.protect('people', role => 'regress_customer');
SELECT dbkit.protect('widgets', role => 'regress_customer');
SELECT dbkit.protect('gadgets', role => 'regress_customer');
SELECT tablename, qual FROM pg_policies WHERE policyname = 'regress_customer_isolation' ORDER BY tablename;
-- and fk_on_delete
SELECT dbkit.agree('{"rules": {"organization_scope": "off", "fk_on_delete": "error"}}') ->> 'id_style';
ALTER TABLE widgets ADD FOREIGN KEY (owner_id) REFERENCES people; -- fails
DROP TABLE gadgets, widgets, people, "Account", tenants;
DROP ROLE regress_customer;
DROP FUNCTION dbkit_agreement();
