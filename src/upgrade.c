/*-------------------------------------------------------------------------
 *
 * upgrade.c
 *		Symbols that the functions of an earlier version of the extension name.
 *
 * A database keeps that version until ALTER EXTENSION dbkit UPDATE, also after
 * pg_upgrade, while the library is already this one.  Its event triggers run on
 * each DDL command, and its tables call generate_id() and updated_at().
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common.h"

/* Let an earlier symbol stand for a function of now. */
#define ALIAS(earlier, now) \
extern Datum now(PG_FUNCTION_ARGS); \
PG_FUNCTION_INFO_V1(earlier); \
Datum \
earlier(PG_FUNCTION_ARGS) \
{ \
	return now(fcinfo); \
} \
extern Datum now(PG_FUNCTION_ARGS)	/* so that a semicolon can follow */

/* Refuse what an earlier version had with other arguments. */
#define REPLACED(earlier, name) \
PG_FUNCTION_INFO_V1(earlier); \
Datum \
earlier(PG_FUNCTION_ARGS pg_attribute_unused()) \
{ \
	ereport(ERROR, \
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED), \
			 errmsg("%s has other arguments in this version of the library", name), \
			 errhint("Run ALTER EXTENSION dbkit UPDATE first."))); \
} \
extern Datum earlier(PG_FUNCTION_ARGS)

/* 1.0.0-dev */
REPLACED(baseline, "dbkit.baseline");
ALIAS(check_database, dbkit_check);
ALIAS(check_relation, dbkit_check_relation);
ALIAS(check_schema, dbkit_check_schema);
ALIAS(ddl_command_end, dbkit_ddl_command_end);
ALIAS(ddl_command_start, dbkit_ddl_command_start);
ALIAS(exempt, dbkit_exempt);
ALIAS(generate_id, dbkit_generate_id);
ALIAS(generate_id_at, dbkit_generate_id_at);
ALIAS(id_from_uuid, dbkit_id_from_uuid);
ALIAS(id_lower_bound, dbkit_id_lower_bound);
ALIAS(id_prefix, dbkit_id_prefix);
ALIAS(id_timestamp, dbkit_id_timestamp);
ALIAS(id_upper_bound, dbkit_id_upper_bound);
ALIAS(id_uuid, dbkit_id_uuid);
ALIAS(ignore_replicated, dbkit_ignore_replicated);
ALIAS(is_id, dbkit_is_id);
ALIAS(register_prefix, dbkit_register_prefix);
ALIAS(rules, dbkit_rules);
ALIAS(sql_drop, dbkit_sql_drop);
ALIAS(stale_exemptions, dbkit_stale_exemptions);
ALIAS(table_of, dbkit_table_of);
ALIAS(table_rewrite, dbkit_table_rewrite);
ALIAS(unexempt, dbkit_unexempt);
ALIAS(updated_at, dbkit_updated_at);
