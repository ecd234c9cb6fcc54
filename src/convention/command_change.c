/*-------------------------------------------------------------------------
 *
 * command_change.c
 *		What a command can change, going by its parse tree.
 *
 * Two tables say which facts a command can change.  A command that is in neither
 * may have changed all of them, so one that PostgreSQL adds is not overlooked.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"


#include "common.h"
#include "convention/command_change.h"
#include "convention/rules/rules.h"

/* Which facts a statement can change */
static const struct
{
	NodeTag		tag;
	Change		change;
}			statements[] = {
	{T_AlterOwnerStmt, {0, 0}},
	{T_AlterPolicyStmt, {0, FACT_POLICIES}},
	{T_AlterStatsStmt, {0, 0}},
	{T_CreatePolicyStmt, {FACT_POLICIES, 0}},
	{T_CreateStatsStmt, {0, 0}},
	{T_IndexStmt, {FACT_INDEXES, 0}},
	{T_RefreshMatViewStmt, {0, 0}},
	{T_ReindexStmt, {0, 0}},
	{T_SecLabelStmt, {0, 0}},
};

/* Which facts an action of ALTER TABLE can change */
static const struct
{
	AlterTableType action;
	FactSet		changed;
}			actions[] = {
	{AT_ChangeOwner, FACT_GRANTS | FACT_SOURCES},	/* of its views */
	{AT_ClusterOn, 0},
	{AT_DisableRowSecurity, FACT_ROW_SECURITY},
	{AT_DisableRule, 0},
	{AT_DisableTrig, FACT_TRIGGERS},
	{AT_DisableTrigAll, FACT_TRIGGERS},
	{AT_DisableTrigUser, FACT_TRIGGERS},
	{AT_DropCluster, 0},
	{AT_EnableAlwaysRule, 0},
	{AT_EnableAlwaysTrig, FACT_TRIGGERS},
	{AT_EnableReplicaRule, 0},
	{AT_EnableReplicaTrig, FACT_TRIGGERS},
	{AT_EnableRowSecurity, FACT_ROW_SECURITY},
	{AT_EnableRule, 0},
	{AT_EnableTrig, FACT_TRIGGERS},
	{AT_EnableTrigAll, FACT_TRIGGERS},
	{AT_EnableTrigUser, FACT_TRIGGERS},
	{AT_ForceRowSecurity, FACT_ROW_SECURITY},
	{AT_NoForceRowSecurity, FACT_ROW_SECURITY},
	{AT_ReplicaIdentity, FACT_INDEXES},
	{AT_ResetOptions, 0},
	{AT_SetCompression, 0},
	{AT_SetOptions, 0},
	{AT_SetStatistics, 0},
	{AT_SetStorage, 0},
	{AT_SetTableSpace, 0},
	{AT_ValidateConstraint, FACT_UNVALIDATED},
};

/* Tell what an action of ALTER TABLE can change. */
FactSet
dbkit_changed_by_action(AlterTableType action)
{
	for (size_t i = 0; i < lengthof(actions); i++)
	{
		if (actions[i].action == action)
			return actions[i].changed;
	}
	return FACT_ALL;
}

/* Does the statement make a comment?  An empty one removes it, as NULL does (CreateComments()). */
static bool
has_text(const CommentStmt *statement)
{
	return statement->comment != NULL && statement->comment[0] != '\0';
}

/* Tell what a statement other than ALTER TABLE can change. */
static Change
statement_change(const Node *tree)
{
	if (IsA(tree, CommentStmt))
		return has_text((const CommentStmt *) tree) ? ADDED(FACT_COMMENTS) : CHANGED(FACT_COMMENTS);
	if (IsA(tree, CreateTrigStmt) && !((const CreateTrigStmt *) tree)->replace)
		return ADDED(FACT_TRIGGERS);
	for (size_t i = 0; i < lengthof(statements); i++)
	{
		if (statements[i].tag == nodeTag(tree))
			return statements[i].change;
	}
	return CHANGE_ALL;
}

/* Tell what a command of a statement can change that one of dbkit's rules reads. */
static Change
builtin_change(const CollectedCommand *command)
{
	FactSet		changed = 0;
	ListCell   *lc;

	if (command->type != SCT_AlterTable)
		return statement_change(command->parsetree);
	foreach(lc, command->d.alterTable.subcmds)
	{
		const CollectedATSubcmd *subcommand = lfirst(lc);

		changed |= dbkit_changed_by_action(castNode(AlterTableCmd, subcommand->parsetree)->subtype);
	}
	return CHANGED(changed);
}

/* The same for all rules: one of the team may read what no other does, such as the owner. */
Change
dbkit_command_change(const CollectedCommand *command)
{
	Change		change = builtin_change(command);

	return dbkit_is_nothing(change) && dbkit_n_rules > dbkit_n_builtin_rules ? CHANGED(FACT_OBJECT) : change;
}

/* Does the command give the object another name, or another schema? */
bool
dbkit_renames_object(const Node *command)
{
	if (IsA(command, RenameStmt))
		return ((const RenameStmt *) command)->renameType != OBJECT_COLUMN;
	return IsA(command, AlterObjectSchemaStmt);
}

/*
 * Can the command change what a default does that asks the object: of which type a
 * sequence is, how volatile a function?
 */
bool
dbkit_changes_defaults(const Node *command)
{
	return IsA(command, AlterSeqStmt) || IsA(command, AlterFunctionStmt) ||
		(IsA(command, CreateFunctionStmt) && ((const CreateFunctionStmt *) command)->replace);
}
