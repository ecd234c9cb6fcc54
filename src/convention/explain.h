/*-------------------------------------------------------------------------
 *
 * explain.h
 *		Why a rule exists.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_EXPLAIN_H
#define DBKIT_EXPLAIN_H

#include "convention/findings.h"

extern char *dbkit_explain_why(const Rule *rule);

#endif							/* DBKIT_EXPLAIN_H */
