/*-------------------------------------------------------------------------
 *
 * months.c
 *		The partitions of the log of changes: one for each month, in UTC.
 *
 * They are made long before they are needed, and never by who writes to the log.
 * ATTACH PARTITION locks the log so that its writers go on, as CREATE TABLE ...
 * PARTITION OF does not.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/table.h"
#include "catalog/pg_class.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

#include "common.h"
#include "as_owner.h"
#include "attempt.h"
#include "audit/log.h"
#include "audit/months.h"
#include "sql.h"

#define MONTHS_AHEAD	24

/* One month, counted from the year 0 */
typedef struct Month
{
	int			number;
	char		name[NAMEDATALEN];	/* of its partition */
} Month;

static int
current_month(void)
{
	struct pg_tm tm;
	fsec_t		fsec;

	if (timestamp2tm(GetCurrentTimestamp(), NULL, &tm, &fsec, NULL, NULL) != 0)
		elog(ERROR, "the clock shows no time");
	return tm.tm_year * MONTHS_PER_YEAR + tm.tm_mon - 1;
}

static char *
month_start(int month)
{
	return psprintf("%04d-%02d-01 00:00:00+00", month / MONTHS_PER_YEAR, month % MONTHS_PER_YEAR + 1);
}

static void
set_name(Month *month)
{
	snprintf(month->name, NAMEDATALEN, "audit_log_%04d_%02d", month->number / MONTHS_PER_YEAR, month->number % MONTHS_PER_YEAR + 1);
}

static void
attach_month(void *arg)
{
	const Month *month = arg;

	dbkit_run_utility(psprintf("CREATE TABLE dbkit.%s (LIKE dbkit.audit_log INCLUDING STORAGE INCLUDING COMPRESSION INCLUDING COMMENTS)", month->name));
	dbkit_run_utility(psprintf("CREATE INDEX %s_row ON dbkit.%s (row_id, relation)", month->name, month->name));
	dbkit_run_utility(psprintf("ALTER TABLE dbkit.%s ENABLE ROW LEVEL SECURITY, REPLICA IDENTITY FULL", month->name));
	dbkit_run_utility(psprintf("ALTER TABLE dbkit.audit_log ATTACH PARTITION dbkit.%s FOR VALUES FROM ('%s') TO ('%s')",
							   month->name, month_start(month->number), month_start(month->number + 1)));
}

/*
 * Make a month, unless the default partition has entries of it: those stay where they
 * are, and so do others of that month.
 */
static void
make_month(int number, Oid schema)
{
	Month		month = {.number = number};
	ErrorData  *error;

	set_name(&month);
	if (OidIsValid(get_relname_relid(month.name, schema)))
		return;
	error = dbkit_attempt(attach_month, &month, ATTEMPT_KEPT);
	if (error != NULL && error->sqlerrcode != ERRCODE_CHECK_VIOLATION)
		ReThrowError(error);
}

/* Make the months to come that are not there.  The caller is connected to SPI. */
void
dbkit_make_audit_months(void)
{
	Relation	log = table_open(dbkit_audit_log(), ShareUpdateExclusiveLock);
	Oid			schema = RelationGetNamespace(log);
	Oid			owner = log->rd_rel->relowner;
	int			first = current_month();
	AsOwner		saved;

	table_close(log, NoLock);	/* ATTACH wants it for itself in this session */
	dbkit_begin_as_owner(owner, 0, &saved);
	for (int i = 0; i <= MONTHS_AHEAD; i++)
		make_month(first + i, schema);
	dbkit_end_as_owner(&saved);
}

/* Return how many of the months after this one are there, without a gap, and no more than that many. */
int
dbkit_count_audit_months(Oid log, int most)
{
	int			result;

	for (result = 0; result < most; result++)
	{
		Month		month = {.number = current_month() + 1 + result};
		Oid			relid;

		set_name(&month);
		relid = get_relname_relid(month.name, get_rel_namespace(log));
		if (!OidIsValid(relid) || !get_rel_relispartition(relid))
			break;
	}
	return result;
}
