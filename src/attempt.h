/*-------------------------------------------------------------------------
 *
 * attempt.h
 *		Do something that may fail, in a subtransaction.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_ATTEMPT_H
#define DBKIT_ATTEMPT_H

#include "utils/elog.h"

/* Whether what was done stays where it worked */
typedef enum AttemptEnd
{
	ATTEMPT_KEPT,
	ATTEMPT_UNDONE
} AttemptEnd;

extern ErrorData *dbkit_attempt(void (*action) (void *arg), void *arg, AttemptEnd end);

#endif							/* DBKIT_ATTEMPT_H */
