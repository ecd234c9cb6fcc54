/*-------------------------------------------------------------------------
 *
 * report.h
 *		Turn findings into an error or a warning.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_REPORT_H
#define DBKIT_REPORT_H

#include "nodes/pg_list.h"

#define ERRCODE_CONVENTION	MAKE_SQLSTATE('K', 'D', '0', '0', '1')

extern void dbkit_report_present(const List *findings);
extern void dbkit_report(const List *findings, int elevel, const char *hint);

#endif							/* DBKIT_REPORT_H */
