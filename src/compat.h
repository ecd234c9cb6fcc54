/*-------------------------------------------------------------------------
 *
 * compat.h
 *		Differences between the supported PostgreSQL versions, 15 to 18.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_COMPAT_H
#define DBKIT_COMPAT_H

#if PG_VERSION_NUM < 150000
#error "dbkit needs PostgreSQL 15 or later"
#endif

/* Commit 3eea7a0c9 took execute_once out of ExecutorRun (18) */
#if PG_VERSION_NUM >= 180000
#define EXECUTOR_RUN_PARAMETERS \
	QueryDesc *queryDesc, ScanDirection direction, uint64 count
#define EXECUTOR_RUN_ARGUMENTS	queryDesc, direction, count
#else
#define EXECUTOR_RUN_PARAMETERS \
	QueryDesc *queryDesc, ScanDirection direction, uint64 count, bool execute_once
#define EXECUTOR_RUN_ARGUMENTS	queryDesc, direction, count, execute_once
#endif

/* Commit 0a20ff54f exported find_option (16) */
#if PG_VERSION_NUM >= 160000
#define dbkit_find_option(name)	find_option(name, false, true, DEBUG5)
#else
#define dbkit_find_option(name) \
	dbkit_find_option_among(name, get_guc_variables(), GetNumConfigOptions())
#endif

/* Commit afbfc0298 gave all object_ownercheck (16) */
#if PG_VERSION_NUM >= 160000
#define dbkit_owns_relation(relid)	object_ownercheck(RelationRelationId, relid, GetUserId())
#else
#define dbkit_owns_relation(relid)	pg_class_ownercheck(relid, GetUserId())
#endif

/* CHECK ... NOT ENFORCED: PostgreSQL 18, commit ca87c415e2f */
#if PG_VERSION_NUM >= 180000
#define dbkit_check_enforced(check) ((check)->ccenforced)
#else
#define dbkit_check_enforced(check) true
#endif

/* VARDATA_ANY and its like left postgres.h in 16 (commit d952373a98) */
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

#endif							/* DBKIT_COMPAT_H */
