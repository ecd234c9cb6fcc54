/*-------------------------------------------------------------------------
 *
 * command_change.h
 *		What a command can change, going by its parse tree.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_COMMAND_CHANGE_H
#define DBKIT_COMMAND_CHANGE_H

#include "nodes/parsenodes.h"
#include "tcop/deparse_utility.h"

#include "convention/facts/facts.h"

extern Change dbkit_command_change(const CollectedCommand *command);
extern FactSet dbkit_changed_by_action(AlterTableType action);
extern bool dbkit_renames_object(const Node *command);
extern bool dbkit_changes_defaults(const Node *command);

static inline bool
dbkit_is_nothing(Change change)
{
	return change.added == 0 && change.changed == 0;
}

#endif							/* DBKIT_COMMAND_CHANGE_H */
