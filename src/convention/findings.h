/*-------------------------------------------------------------------------
 *
 * findings.h
 *		What becomes of findings: the error, the warning, the SQL that mends.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_FINDINGS_H
#define DBKIT_FINDINGS_H

#include "rules.h"

#define ERRCODE_CONVENTION	MAKE_SQLSTATE('K', 'D', '0', '0', '1')

extern char *dbkit_fix(const List *findings);
extern void dbkit_report(const List *findings);

#endif							/* DBKIT_FINDINGS_H */
