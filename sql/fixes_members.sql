-- What dbkit.fixes() does to the tables below one, and what a fix would have PostgreSQL refuse.
\i sql/include/convention.psql
RESET dbkit.rule_levels;
SELECT dbkit.agree('{"rules": null, "id_style": null}') IS NOT NULL, dbkit.agree('{"preset": "none", "id_style": "prefixed", "rules": {"created_at": "error", "updated_at": "error", "updated_at_trigger": "error"}}') IS NOT NULL;

-- a foreign table below it has the columns of another server
SET dbkit.enforce = off;
CREATE FOREIGN DATA WRAPPER regress_members;
CREATE SERVER regress_members FOREIGN DATA WRAPPER regress_members;
CREATE TABLE here (n bigint) PARTITION BY LIST (n);
CREATE TABLE here_1 PARTITION OF here DEFAULT;
CREATE TABLE away (n bigint) PARTITION BY LIST (n);
CREATE TABLE away_1 PARTITION OF away FOR VALUES IN (1) PARTITION BY LIST (n);
CREATE FOREIGN TABLE away_2 PARTITION OF away_1 DEFAULT SERVER regress_members;
CREATE TABLE parent (n bigint);
CREATE FOREIGN TABLE child () INHERITS (parent) SERVER regress_members;
RESET dbkit.enforce;
SELECT dbkit.fixes();
SELECT object_identity, rule, fix, risk FROM dbkit.check();
SELECT dbkit.fixes('breaks', 'away');
DROP TABLE here, away;

-- nor can its columns be renamed, or be a foreign key where partitions have it
SELECT dbkit.agree('{"preset": "none", "rules": {"created_at": "off", "updated_at": "off", "updated_at_trigger": "off", "extid": "error"}}') IS NOT NULL;
SET dbkit.enforce = off;
CREATE TABLE orders (id text COLLATE "C" PRIMARY KEY);
ALTER TABLE parent ADD order_id text COLLATE "C", ADD other_id text;
CREATE TABLE away (order_id text COLLATE "C", other_id text) PARTITION BY LIST (other_id);
CREATE FOREIGN TABLE away_1 PARTITION OF away DEFAULT SERVER regress_members;
RESET dbkit.enforce;
SELECT object_identity, column_name, fix FROM dbkit.check();
SELECT dbkit.fixes('breaks') \gexec
DROP TABLE parent, away, orders CASCADE;
DROP SERVER regress_members;
DROP FOREIGN DATA WRAPPER regress_members;

DROP FUNCTION public.dbkit_agreement;
