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

/* CHECK and FOREIGN KEY ... NOT ENFORCED: PostgreSQL 18, commits ca87c415e2f, eec0040c4bc */
#if PG_VERSION_NUM >= 180000
#define dbkit_check_enforced(check) ((check)->ccenforced)
#define dbkit_constraint_enforced(form) ((form)->conenforced)
#else
#define dbkit_check_enforced(check) true
#define dbkit_constraint_enforced(form) true
#endif

/* VARDATA_ANY and its like left postgres.h in 16 (commit d952373a98) */
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

#endif							/* DBKIT_COMPAT_H */
