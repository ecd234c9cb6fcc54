\echo Use "CREATE EXTENSION dbkit_test" to load this file. \quit

-- rows --------------------------------------------------------------------

CREATE FUNCTION dbkit.make(sample anyelement, overrides pg_catalog.jsonb DEFAULT '{}'::pg_catalog.jsonb) RETURNS anyelement
	LANGUAGE c VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'dbkit_make';
COMMENT ON FUNCTION dbkit.make(anyelement, pg_catalog.jsonb) IS
'inserts a row that the table accepts, with the parents that it needs, as the caller, and returns it. sample: NULL::the_table, else wrong_object_type; overrides: an object of values by names of columns, a name that is none is undefined_column; a CHECK or key that cannot be met is the error of the INSERT, with what to give in its hint';

CREATE FUNCTION dbkit.make_many(sample anyelement, count pg_catalog.int8, overrides pg_catalog.jsonb DEFAULT '{}'::pg_catalog.jsonb) RETURNS SETOF anyelement
	LANGUAGE c VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'dbkit_make_many';
COMMENT ON FUNCTION dbkit.make_many(anyelement, pg_catalog.int8, pg_catalog.jsonb) IS
'inserts so many rows as dbkit.make() does one, with the same parents where unique keys allow it, and returns them; a count that is negative or NULL is invalid_parameter_value';

-- isolation ---------------------------------------------------------------

CREATE FUNCTION dbkit.leak_test(role pg_catalog.name DEFAULT NULL) RETURNS SETOF pg_catalog.text
	LANGUAGE c VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'dbkit_leak_test';
COMMENT ON FUNCTION dbkit.leak_test(pg_catalog.name) IS
'tests whether a role reaches rows of another organization than its own, through tables, partitions, views, materialized views, and functions and procedures without arguments, and returns TAP; all rows that it makes are rolled back. role: the customer_role of the agreement unless named; null_value_not_allowed where the agreement names none, undefined_object for none of that name, invalid_parameter_value for a superuser; only superusers, else insufficient_privilege; object_not_in_prerequisite_state while a tenant context is entered; read_only_sql_transaction';
