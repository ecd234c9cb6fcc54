\echo Use "ALTER EXTENSION dbkit UPDATE" to load this file. \quit

-- A subscriber cannot read a regclass of a table that only the publisher has.
ALTER TABLE dbkit.id_prefix ALTER COLUMN relation TYPE pg_catalog.oid;
COMMENT ON COLUMN dbkit.id_prefix.relation IS 'The table that has it; cast it to regclass to see its name';

-- With both columns, the rows of the organization.
COMMENT ON FUNCTION dbkit.protect(regclass, name, name, name) IS
'enable and force row level security on a table, its partitions and children, and create or replace the policy <role>_isolation on each: shows the rows whose organization column equals dbkit.organization_id(), or in a table without one those whose user column equals dbkit.user_id(); if columns are named, those count and no other, and rows that match either of two are shown; a column that is NULL defaults to organization_id or user_id where present (id on the two tables themselves), an empty one is left out; for the table''s owner';

-- A new partition is protected as its parent is.
COMMENT ON FUNCTION dbkit.ddl_command_end() IS
'Event trigger function: rejects DDL that breaks the schema conventions with SQLSTATE KD001, and protects a new partition or child as its parent is';
COMMENT ON EVENT TRIGGER dbkit_ddl_command_end IS
'Rejects DDL that breaks the schema conventions, and gives new partitions the row level security of their parent. ALTER EVENT TRIGGER dbkit_ddl_command_end DISABLE switches that off';
