/*-------------------------------------------------------------------------
 *
 * compat.h
 *		Differences between the supported PostgreSQL versions, 15 to 18.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_COMPAT_H
#define DBKIT_COMPAT_H

#if PG_VERSION_NUM < 150000
#error "dbkit needs PostgreSQL 15 or later"
#endif

/* A module tells its name and version from 18 on (commit 9324c8c58) */
#if PG_VERSION_NUM >= 180000
#define DBKIT_MODULE_MAGIC	PG_MODULE_MAGIC_EXT(.name = "dbkit", .version = DBKIT_VERSION)
#else
#define DBKIT_MODULE_MAGIC	PG_MODULE_MAGIC
#endif

/* Commit 3eea7a0c9 took execute_once out of ExecutorRun (18) */
#if PG_VERSION_NUM >= 180000
#define EXECUTOR_RUN_PARAMETERS \
	QueryDesc *queryDesc, ScanDirection direction, uint64 count
#define EXECUTOR_RUN_ARGUMENTS	queryDesc, direction, count
#else
#define EXECUTOR_RUN_PARAMETERS \
	QueryDesc *queryDesc, ScanDirection direction, uint64 count, bool execute_once
#define EXECUTOR_RUN_ARGUMENTS	queryDesc, direction, count, execute_once
#endif

/* Commit 0fbceae841c had index scans count their searches (18) */
#if PG_VERSION_NUM >= 180000
#define dbkit_index_beginscan(table, index, snapshot, nkeys) \
	index_beginscan(table, index, snapshot, NULL, nkeys, 0)
#else
#define dbkit_index_beginscan(table, index, snapshot, nkeys) \
	index_beginscan(table, index, snapshot, nkeys, 0)
#endif

/* Commit 0a20ff54f exported find_option (16) */
#if PG_VERSION_NUM >= 160000
#define dbkit_find_option(name)	find_option(name, false, true, DEBUG5)
#else
struct config_generic;
extern struct config_generic *dbkit_find_option_among(const char *name,
													  struct config_generic **settings, int count);
#define dbkit_find_option(name) \
	dbkit_find_option_among(name, get_guc_variables(), GetNumConfigOptions())
#endif

struct config_generic;
extern void dbkit_set_initial(struct config_generic *setting, char initial);

/* Commit 3057465acf gave get_guc_variables a count and a copy of the list (16) */
#if PG_VERSION_NUM >= 160000
#define dbkit_settings(count)	get_guc_variables(count)
#else
#define dbkit_settings(count)	(*(count) = GetNumConfigOptions(), get_guc_variables())
#endif

/* Values of settings come from an allocator of their own (16, the same commit) */
#if PG_VERSION_NUM >= 160000
#define dbkit_guc_malloc(size)	guc_malloc(LOG, size)
#else
#define dbkit_guc_malloc(size)	malloc(size)
#endif

/* 15.9 and 16.5 introduced it (commit 364de74cff); before them, loading dbkit in parallel mode fails */
#ifndef GUC_ALLOW_IN_PARALLEL
#define GUC_ALLOW_IN_PARALLEL	0
#endif

/* Commit 509199587df gave getIdentitySequence the relation (17) */
#if PG_VERSION_NUM >= 170000
#define dbkit_identity_sequence(rel, attnum)	getIdentitySequence(rel, attnum, true)
#else
#define dbkit_identity_sequence(rel, attnum)	getIdentitySequence(RelationGetRelid(rel), attnum, true)
#endif

/* UNIQUE (..., WITHOUT OVERLAPS), likewise */
#if PG_VERSION_NUM >= 180000
#define dbkit_is_temporal_key(constraint) ((constraint)->without_overlaps)
#else
#define dbkit_is_temporal_key(constraint) false
#endif

/* Will a generated column be computed when it is read?  Commit 83ea6c54025 brought VIRTUAL (18) */
#if PG_VERSION_NUM >= 180000
#define dbkit_makes_virtual(constraint) \
	((constraint)->contype == CONSTR_GENERATED && (constraint)->generated_kind == ATTRIBUTE_GENERATED_VIRTUAL)
#else
#define dbkit_makes_virtual(constraint) false
#endif

/* Is a column NOT NULL, and known to have no nulls?  NOT NULL ... NOT VALID came with 18 */
#if PG_VERSION_NUM >= 180000
#define dbkit_column_is_set(descriptor, attnum) \
	(TupleDescCompactAttr(descriptor, (attnum) - 1)->attnullability == ATTNULLABLE_VALID)
#else
#define dbkit_column_is_set(descriptor, attnum) (TupleDescAttr(descriptor, (attnum) - 1)->attnotnull)
#endif

/* Is a new constraint one that the rows need not keep?  NOT ENFORCED came with 18 */
#if PG_VERSION_NUM >= 180000
#define dbkit_is_unenforced(constraint) (!(constraint)->is_enforced)
#else
#define dbkit_is_unenforced(constraint) false
#endif

/* Commit d435f15fff3 brought SysCacheGetAttrNotNull (16) */
#if PG_VERSION_NUM < 160000
#define SysCacheGetAttrNotNull(cache, tuple, attnum)	SysCacheGetAttr(cache, tuple, attnum, &(bool) {false})
#endif

/* Commits e3ce2de09d8 and 3d14e171e9e said what a membership is good for (16) */
#if PG_VERSION_NUM >= 160000
#define dbkit_may_act(row) \
	(((Form_pg_auth_members) GETSTRUCT(row))->inherit_option || \
	 ((Form_pg_auth_members) GETSTRUCT(row))->set_option)
#else
#define dbkit_may_act(row) true
#endif

/* Commit ecb0fd33720 brought the privilege MAINTAIN (17) */
#ifndef ACL_MAINTAIN
#define ACL_MAINTAIN	0
#endif

/* Commit 14e87ffa5c5 made NOT NULL a constraint with a name (18) */
#define DBKIT_CONSTRAINT_NOTNULL	'n'

/* CHECK and FOREIGN KEY ... NOT ENFORCED: PostgreSQL 18, commits ca87c415e2f, eec0040c4bc */
#if PG_VERSION_NUM >= 180000
#define dbkit_constraint_enforced(form) ((form)->conenforced)
#else
#define dbkit_constraint_enforced(form) true
#endif

/* Is a column computed when it is read?  PostgreSQL 18, commit 83ea6c54025 */
#if PG_VERSION_NUM >= 180000
#define dbkit_is_virtual(column) ((column)->attgenerated == ATTRIBUTE_GENERATED_VIRTUAL)
#else
#define dbkit_is_virtual(column) false
#endif

/* NOT NULL as a constraint, and NOT VALID: PostgreSQL 18, commits 14e87ffa5c5, a379061a22a */
#if PG_VERSION_NUM >= 180000
#define dbkit_not_null_column(tuple) \
	(((Form_pg_constraint) GETSTRUCT(tuple))->contype == CONSTRAINT_NOTNULL ? \
	 extractNotNullColumn(tuple) : InvalidAttrNumber)
#else
#define dbkit_not_null_column(tuple) InvalidAttrNumber
#endif

/* FOREIGN KEY (..., PERIOD ...): PostgreSQL 18, commit 89f908a6d0a */
#if PG_VERSION_NUM >= 180000
#define dbkit_has_period(form) ((form)->conperiod)
#else
#define dbkit_has_period(form) false
#endif

/* VARDATA_ANY and its like left postgres.h in 16 (commit d952373a98) */
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

/* PostgreSQL 16 renamed it. */
#if PG_VERSION_NUM < 160000
#define pgstat_get_local_beentry_by_index(idx) pgstat_fetch_stat_local_beentry(idx)
#endif

/* Commits afbfc0298 and c727f511b made the functions that check rights one for all objects (16) */
#if PG_VERSION_NUM >= 160000
#define dbkit_schema_aclcheck(schema, role, mode) \
	object_aclcheck(NamespaceRelationId, schema, role, mode)
#define dbkit_function_aclcheck(function, role, mode) \
	object_aclcheck(ProcedureRelationId, function, role, mode)
#define dbkit_owns_table(table, role) object_ownercheck(RelationRelationId, table, role)
#define dbkit_owns_type(type, role) object_ownercheck(TypeRelationId, type, role)
#define dbkit_owns_database(role) object_ownercheck(DatabaseRelationId, MyDatabaseId, role)
#else
#define dbkit_schema_aclcheck(schema, role, mode) pg_namespace_aclcheck(schema, role, mode)
#define dbkit_function_aclcheck(function, role, mode) pg_proc_aclcheck(function, role, mode)
#define dbkit_owns_table(table, role) pg_class_ownercheck(table, role)
#define dbkit_owns_type(type, role) pg_type_ownercheck(type, role)
#define dbkit_owns_database(role) pg_database_ownercheck(MyDatabaseId, role)
#endif

/* Commit 3d14e171e9e let a membership be without SET (16) */
#if PG_VERSION_NUM >= 160000
#define dbkit_member_can_set_role(member, role) member_can_set_role(member, role)
#else
#define dbkit_member_can_set_role(member, role) is_member_of_role(member, role)
#endif

/* PostgreSQL 18 renamed it, and has it in front of a declaration. */
#if PG_VERSION_NUM < 180000
#define pg_noreturn pg_attribute_noreturn()
#endif

/* PostgreSQL 17 added the argument "orstronger". */
#if PG_VERSION_NUM >= 170000
#define dbkit_lock_held_by_me(tag, mode) LockHeldByMe(tag, mode, false)
#else
#define dbkit_lock_held_by_me(tag, mode) LockHeldByMe(tag, mode)
#endif

/* Commit ab355e3a88d put the number of the transaction into another structure (17) */
#if PG_VERSION_NUM >= 170000
#define dbkit_local_transaction() (MyProc->vxid.lxid)
#else
#define dbkit_local_transaction() (MyProc->lxid)
#endif

/* Commit 5764f611e10 made the queues of the lock table lists like others (16) */
#if PG_VERSION_NUM >= 160000
#define dbkit_queue_start(queue)	(&(queue)->head)
#define dbkit_queue_next(queue, node, offset) \
	((node)->next == &(queue)->head ? NULL : (void *) ((char *) (node)->next - (offset)))
#define dbkit_wait_queue(lock)	(&(lock)->waitProcs.dlist)
#else
#define dbkit_queue_start(queue)	(queue)
#define dbkit_queue_next(queue, node, offset)	((void *) SHMQueueNext(queue, node, offset))
#define dbkit_wait_queue(lock)	(&(lock)->waitProcs.links)
#endif

/* Commits b0a55e43299 and 024c5211176 renamed what says where a file is, and whose (16, 17) */
#if PG_VERSION_NUM >= 170000
#define dbkit_open_file(space, number) \
	smgropen((RelFileLocator) {space, MyDatabaseId, number}, INVALID_PROC_NUMBER)
#elif PG_VERSION_NUM >= 160000
#define dbkit_open_file(space, number) \
	smgropen((RelFileLocator) {space, MyDatabaseId, number}, InvalidBackendId)
#else
#define dbkit_open_file(space, number) \
	smgropen((RelFileNode) {space, MyDatabaseId, number}, InvalidBackendId)
#endif

/* The same renaming; the file has to belong to no backend alone, and be locked by the caller */
#if PG_VERSION_NUM >= 160000
#define dbkit_read_file(space, number, block, permanent) \
	ReadBufferWithoutRelcache((RelFileLocator) {OidIsValid(space) ? (space) : MyDatabaseTableSpace, MyDatabaseId, number}, \
							  MAIN_FORKNUM, block, RBM_NORMAL, NULL, permanent)
#else
#define dbkit_read_file(space, number, block, permanent) \
	ReadBufferWithoutRelcache((RelFileNode) {OidIsValid(space) ? (space) : MyDatabaseTableSpace, MyDatabaseId, number}, \
							  MAIN_FORKNUM, block, RBM_NORMAL, NULL, permanent)
#define InvalidRelFileNumber	InvalidOid
#endif

/* Commit 19d8e2308bc gave ExecInsertIndexTuples an argument (16) */
#if PG_VERSION_NUM >= 160000
#define dbkit_insert_index_tuples(target, slot, estate) \
	ExecInsertIndexTuples(target, slot, estate, false, false, NULL, NIL, false)
#else
#define dbkit_insert_index_tuples(target, slot, estate) \
	ExecInsertIndexTuples(target, slot, estate, false, false, NULL, NIL)
#endif

/* PostgreSQL 17 added named segments of dynamic shared memory. */
#if PG_VERSION_NUM >= 170000
#define DBKIT_HAVE_DSM_REGISTRY
#endif

#endif							/* DBKIT_COMPAT_H */
