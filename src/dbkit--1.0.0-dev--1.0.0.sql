\echo Use "ALTER EXTENSION dbkit UPDATE" to load this file. \quit

-- A subscriber cannot read a regclass of a table that only the publisher has.
ALTER TABLE dbkit.id_prefix ALTER COLUMN relation TYPE pg_catalog.oid;
COMMENT ON COLUMN dbkit.id_prefix.relation IS 'The table that has it; cast it to regclass to see its name';

COMMENT ON FUNCTION dbkit.rename_enum_value(regclass, text, text) IS
'Renames a value of an enum table, with all rows that reference it and all defaults, and gives the number of these rows. It keeps its place. Writers to the referencing tables wait until the end of the transaction. Without the rights to change every referencing column it is an error before anything changes. Statements on tables of other owners, superusers aside, run as these owners.';

COMMENT ON FUNCTION dbkit.drop_enum_value(regclass, text, text) IS
'Drops a value of an enum table. Rows and defaults that use it get the value replace_with; without one, a value in use is an error (dependent_objects_still_exist) that says where. Gives the number of rows changed. Statements on tables of other owners, superusers aside, run as these owners.';

COMMENT ON FUNCTION dbkit.enum_from_type(regtype) IS
'Turns a native enum into the enum table <type>_enum in the schema of the type, and its columns into text with a foreign key and an index; drops the type. Views, functions, arrays, domains and expressions that depend on the type are refused (dependent_objects_still_exist) with their names. Tables of other owners, superusers aside, are changed as these owners, who get SELECT and REFERENCES on the enum table.';
