/*-------------------------------------------------------------------------
 *
 * blank.h
 *		The text of a statement without what may be secret in it.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_AUDIT_BLANK_H
#define DBKIT_AUDIT_BLANK_H

#include "convention/change/statement_text.h"

extern char *dbkit_blank_statement(const RunningStatement *running, const Node *statement);

#endif							/* DBKIT_AUDIT_BLANK_H */
