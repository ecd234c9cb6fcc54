/*-------------------------------------------------------------------------
 *
 * check.h
 *		Judge what is there.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_CHECK_H
#define DBKIT_CHECK_H

#include "convention/judge.h"

typedef void (*FindingCallback) (const Finding *finding, void *arg);

/* Is told of the facts about an object, and may have it judged */
typedef void (*FactsCallback) (Judgement *judgement, Facts *facts, void *arg);

/* What dbkit.check() tells of a finding, in this order */
#define N_CHECK_COLUMNS		8

extern const char *const dbkit_check_columns[N_CHECK_COLUMNS];

extern void dbkit_check_values(const Finding *finding, const char *values[N_CHECK_COLUMNS]);
extern void dbkit_require_schema(Oid namespace);
extern void dbkit_check_objects(Oid namespace, JudgeScope scope, FactsCallback facts,
								FindingCallback finding, void *arg);
extern void dbkit_check_object(Oid classid, Oid objid, JudgeScope scope, FindingCallback callback, void *arg);
extern bool dbkit_any_object_is_like(const char *object);

#endif							/* DBKIT_CHECK_H */
