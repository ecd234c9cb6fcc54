/*-------------------------------------------------------------------------
 *
 * script.h
 *		The text of a version: several statements in one transaction.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_LEDGER_SCRIPT_H
#define DBKIT_LEDGER_SCRIPT_H

#include "nodes/pg_list.h"

typedef struct Script
{
	const char *text;
	const char *what;			/* for messages, such as "version 5" */
	List	   *statements;		/* RawStmt * */
} Script;

extern Script dbkit_parse_script(const char *text, const char *what);
extern void dbkit_run_script(const Script *script);

#endif							/* DBKIT_LEDGER_SCRIPT_H */
