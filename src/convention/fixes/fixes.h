/*-------------------------------------------------------------------------
 *
 * fixes.h
 *		The steps by which findings become scripts that can be run.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_FIXES_H
#define DBKIT_FIXES_H

#include "convention/findings.h"

/*
 * An object, and the findings about it that are to be fixed.  An action that is not to be
 * taken has no SQL any more.
 */
typedef struct Fixed
{
	const Facts *facts;			/* kind, name and owner, nothing else */
	List	   *findings;		/* Finding * */
	bool		large;			/* others should not wait for it */
	bool		partitioned;
	struct Fixed *together;		/* a table that changes in the same script, or
								 * NULL; see dbkit_script_of() */
	List	   *referenced;		/* Fixed *, those of the script that change
								 * before it */
	bool		written;
} Fixed;

extern const Fixed *dbkit_script_of(const Fixed *fixed);
extern Fixed *dbkit_make_fixed(const Facts *facts, List *findings);
extern void dbkit_settle_ends(List **objects);
extern void dbkit_drop_impossible(List *objects);
extern List *dbkit_write_scripts(const List *objects);

#endif							/* DBKIT_FIXES_H */
