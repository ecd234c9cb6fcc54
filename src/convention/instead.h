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

extern bool dbkit_makes_tables(const Node *statement);
extern char *dbkit_write_instead(const Node *statement, const List *changed, JudgeScope scope);
extern char *dbkit_write_before_commit(const List *changed);

#endif							/* DBKIT_INSTEAD_H */
