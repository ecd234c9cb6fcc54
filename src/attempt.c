/*-------------------------------------------------------------------------
 *
 * attempt.c
 *		Do something that may fail, in a subtransaction.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "miscadmin.h"
#include "utils/resowner.h"

#include "attempt.h"

/*
 * Is the error about something else than what was done, so that trying again may help?  Also
 * one that the caller can bring about by nesting his statements deeply.
 */
static bool
is_passing(int sqlerrcode)
{
	switch (ERRCODE_TO_CATEGORY(sqlerrcode))
	{
		case ERRCODE_TRANSACTION_ROLLBACK:
		case ERRCODE_INSUFFICIENT_RESOURCES:
		case ERRCODE_OPERATOR_INTERVENTION:
			return true;
		default:
			return sqlerrcode == ERRCODE_LOCK_NOT_AVAILABLE ||
				sqlerrcode == ERRCODE_STATEMENT_TOO_COMPLEX;
	}
}

/* Take the error that is being handled out of the hands of whoever would handle it. */
static ErrorData *
take_error(MemoryContext context)
{
	ErrorData  *error;

	MemoryContextSwitchTo(context);
	error = CopyErrorData();
	FlushErrorState();
	return error;
}

/*
 * Do something in a subtransaction, which is undone where it fails, and else if that is asked
 * for: with it go user, settings, snapshots and locks.  Returns the error, or NULL.
 *
 * A cancelled query, a deadlock and their like are raised again.  Not before the subtransaction has
 * ended: outside a transaction block nobody else would end it.
 */
ErrorData *
dbkit_attempt(void (*action) (void *arg), void *arg, AttemptEnd end)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	ErrorData  *volatile error = NULL;
	Oid			user;
	int			security;

	GetUserIdAndSecContext(&user, &security);
	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	PG_TRY();
	{
		action(arg);
		if (end == ATTEMPT_KEPT)
		{
			ReleaseCurrentSubTransaction();
			SetUserIdAndSecContext(user, security); /* as an abort would */
		}
	}
	PG_CATCH();
	{
		error = take_error(context);
	}
	PG_END_TRY();

	if (error != NULL || end == ATTEMPT_UNDONE)
		RollbackAndReleaseCurrentSubTransaction();
	MemoryContextSwitchTo(context);
	CurrentResourceOwner = owner;
	if (error != NULL && is_passing(error->sqlerrcode))
		ReThrowError(error);
	return error;
}
