/*-------------------------------------------------------------------------
 *
 * sequences.c
 *		How near its end is the sequence that is nearest to it?
 *
 * There can be one for each table, and dbkit.health is called every few seconds.
 * pg_sequences opens each of them, which waits where one is being dropped or
 * altered, fails where it is gone, and fills the relcache.  A sequence is one row
 * in one page, so it is that page which is read here, under a lock that is tried: that
 * of nextval(), as ALTER SEQUENCE gives a sequence another file and leaves it to readers.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xlog.h"
#include "catalog/namespace.h"
#include "catalog/pg_authid.h"
#include "catalog/pg_class.h"
#include "catalog/pg_sequence.h"
#include "commands/sequence.h"
#include "miscadmin.h"
#include "storage/bufmgr.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#include "common.h"
#include "health/health.h"

/* Read the page of a sequence that is locked, and its row; false where there is none. */
static bool
read_state(Form_pg_class class, FormData_pg_sequence_data *state)
{
	Buffer		buffer = dbkit_read_file(class->reltablespace, class->relfilenode, 0,
										 class->relpersistence == RELPERSISTENCE_PERMANENT);
	Page		page;
	bool		found;

	LockBuffer(buffer, BUFFER_LOCK_SHARE);
	page = BufferGetPage(buffer);
	found = !PageIsNew(page) && PageGetMaxOffsetNumber(page) >= FirstOffsetNumber &&
		ItemIdIsNormal(PageGetItemId(page, FirstOffsetNumber));
	if (found)
	{
		HeapTupleData row;

		row.t_data = (HeapTupleHeader) PageGetItem(page, PageGetItemId(page, FirstOffsetNumber));
		memcpy(state, GETSTRUCT(&row), sizeof(*state));
	}
	UnlockReleaseBuffer(buffer);
	return found;
}

/* Can the pages of a relation be read, by this backend and now? */
static bool
is_readable(Form_pg_class class)
{
	return class->relkind == RELKIND_SEQUENCE && class->relfilenode != InvalidRelFileNumber &&
		(class->relpersistence == RELPERSISTENCE_PERMANENT ||
		 (class->relpersistence == RELPERSISTENCE_UNLOGGED && !RecoveryInProgress()));
}

/* Return how much of its range a sequence has used, in percent. */
static double
used_part(Form_pg_sequence sequence, const FormData_pg_sequence_data *state)
{
	double		range = (double) sequence->seqmax - (double) sequence->seqmin + 1;
	double		used = sequence->seqincrement > 0 ?
	(double) state->last_value - (double) sequence->seqmin :
	(double) sequence->seqmax - (double) state->last_value;

	/* The next value may be beyond the end though some are left before it */
	if (state->is_called && (sequence->seqincrement > 0 ?
							 (double) state->last_value + (double) sequence->seqincrement > (double) sequence->seqmax :
							 (double) state->last_value + (double) sequence->seqincrement < (double) sequence->seqmin))
		return 100;
	return 100 * (used + state->is_called) / range;
}

/* Note a sequence that is locked, if it is the one that is nearest to its end. */
static void
measure_sequence(Form_pg_sequence sequence, bool sees_all, Measurement *result)
{
	HeapTuple	row = SearchSysCache1(RELOID, ObjectIdGetDatum(sequence->seqrelid));
	FormData_pg_sequence_data state;
	Form_pg_class class;

	if (!HeapTupleIsValid(row))
		return;
	class = (Form_pg_class) GETSTRUCT(row);
	if (!sees_all &&
		pg_class_aclcheck(sequence->seqrelid, GetUserId(), ACL_SELECT | ACL_USAGE) != ACLCHECK_OK)
		result->incomplete = true;
	else if (is_readable(class) && read_state(class, &state))
	{
		double		used = used_part(sequence, &state);
		const char *schema = used > result->number ? get_namespace_name(class->relnamespace) : NULL;

		if (used > result->number)
		{
			result->number = used;
			result->detail = psprintf("It is sequence %s.", schema == NULL ? NameStr(class->relname) :
									  quote_qualified_identifier(schema, NameStr(class->relname)));
		}
	}
	ReleaseSysCache(row);
}

/* Measure how near its end the sequence is that is nearest to it; those that CYCLE have none. */
void
dbkit_measure_sequences(Measurement *result)
{
	bool		sees_all = has_privs_of_role(GetUserId(), ROLE_PG_READ_ALL_STATS);
	Relation	catalog = table_open(SequenceRelationId, AccessShareLock);
	SysScanDesc scan = systable_beginscan(catalog, InvalidOid, false, NULL, 0, NULL);
	HeapTuple	row;

	while (HeapTupleIsValid(row = systable_getnext(scan)))
	{
		Form_pg_sequence sequence = (Form_pg_sequence) GETSTRUCT(row);

		CHECK_FOR_INTERRUPTS();
		if (sequence->seqcycle || !ConditionalLockRelationOid(sequence->seqrelid, RowExclusiveLock))
			continue;
		measure_sequence(sequence, sees_all, result);
		UnlockRelationOid(sequence->seqrelid, RowExclusiveLock);
	}
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
}
