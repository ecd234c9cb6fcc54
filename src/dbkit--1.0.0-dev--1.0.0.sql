\echo Use "ALTER EXTENSION dbkit UPDATE" to load this file. \quit

-- A subscriber cannot read a regclass of a table that only the publisher has.
ALTER TABLE dbkit.id_prefix ALTER COLUMN relation TYPE pg_catalog.oid;
COMMENT ON COLUMN dbkit.id_prefix.relation IS 'The table that has it; cast it to regclass to see its name';

-- With both columns, the rows of the organization.
COMMENT ON FUNCTION dbkit.protect(regclass, name, name, name) IS
'enable and force row level security on a table, its partitions and children, and create or replace the policy <role>_isolation on each: shows the rows whose organization column equals dbkit.organization_id(), or in a table without one those whose user column equals dbkit.user_id(); if columns are named, those count and no other, and rows that match either of two are shown; a column that is NULL defaults to organization_id or user_id where present (id on the two tables themselves), an empty one is left out; for the table''s owner';
