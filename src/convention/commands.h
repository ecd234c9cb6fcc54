/*-------------------------------------------------------------------------
 *
 * commands.h
 *		What the commands of a statement changed.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_COMMANDS_H
#define DBKIT_COMMANDS_H

#include "nodes/nodes.h"
#include "nodes/pg_list.h"

#include "convention/changed.h"

extern bool dbkit_statement_is_covered(const Node *statement);
extern void dbkit_note_commands(Concurrency concurrently, Oid model);
extern List *dbkit_note_dropped(Concurrency concurrently);

#endif							/* DBKIT_COMMANDS_H */
