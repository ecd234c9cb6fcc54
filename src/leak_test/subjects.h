/*-------------------------------------------------------------------------
 *
 * subjects.h
 *		What a role may touch: relations and their columns, and functions.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_LEAK_SUBJECTS_H
#define DBKIT_LEAK_SUBJECTS_H

#include "leak_test/tables.h"

/* A column of a table or view, and what the role may do with it */
typedef struct Column
{
	const char *name;
	const char *quoted;
	const char *base;			/* its name in the table that has the rows, or
								 * NULL */
	Oid			type;
	bool		readable;
	bool		insertable;
	bool		updatable;
	bool		has_default;
	bool		random_default; /* a value that nobody can guess */
	bool		sequential;		/* one that everybody can */
} Column;

typedef struct Subject
{
	Oid			oid;
	char		relkind;		/* or '\0' for a function */
	Oid			owner;
	const char *name;			/* qualified and quoted */
	Table	   *table;			/* that has the rows, or NULL */
	List	   *columns;		/* Column * */
	bool		readable;
	bool		deletable;
	bool		truncatable;
	const char *problem;		/* why it cannot be tried, or NULL */
	bool		leaks;			/* it shows rows of the other organization's */
	const char *query;			/* that shows all that the role may see */
	Probe	   *observed[3];	/* without the others' rows, again, and with
								 * them */
} Subject;

extern List *dbkit_list_subjects(Oid role, const List *tables);
extern List *dbkit_list_uncalled_functions(Oid role);

#endif							/* DBKIT_LEAK_SUBJECTS_H */
