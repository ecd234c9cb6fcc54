/*-------------------------------------------------------------------------
 *
 * collect.h
 *		Check objects and keep all that is found.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_COLLECT_H
#define DBKIT_COLLECT_H

#include "convention/judge.h"

/* An object that was checked, also where nothing is wrong with it */
typedef struct CheckedObject
{
	const Facts *facts;			/* kind, name and owner, nothing else */
	List	   *findings;		/* Finding * */
} CheckedObject;

typedef struct CheckedCounts
{
	int			tables;
	int			errors;
	int			warnings;
} CheckedCounts;

extern List *dbkit_collect_checked(Oid namespace, JudgeScope scope);
extern CheckedCounts dbkit_count_checked(const List *objects);

#endif							/* DBKIT_COLLECT_H */
