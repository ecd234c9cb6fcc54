/*-------------------------------------------------------------------------
 *
 * instead.h
 *		Write what to write instead of a statement that is refused.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_INSTEAD_H
#define DBKIT_INSTEAD_H

#include "nodes/nodes.h"

#include "convention/judge.h"

extern void dbkit_note_query(const Node *statement);
extern char *dbkit_write_instead(const Node *statement, const List *changed, JudgeScope scope);

#endif							/* DBKIT_INSTEAD_H */
