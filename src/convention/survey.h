/*-------------------------------------------------------------------------
 *
 * survey.h
 *		Count what the tables of the database have in common.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_SURVEY_H
#define DBKIT_SURVEY_H

#include "utils/hsearch.h"

#include "convention/agreement.h"
#include "convention/facts/facts.h"

/* What is counted by its name, its OID, or both */
typedef enum TallyKind
{
	TALLY_CREATED,				/* names of columns: when a row was made, */
	TALLY_UPDATED,				/* and changed */
	TALLY_ID_SUFFIX,			/* of columns that are foreign keys */
	TALLY_EXTID_SUFFIX,
	TALLY_FUNCTION,				/* of triggers of tables with such a column */
	TALLY_REFERENCE,			/* a table, and the name of columns that
								 * reference it */
	TALLY_SCOPE					/* the same of those that are NOT NULL */
} TallyKind;

typedef struct TallyKey
{
	TallyKind	kind;
	Oid			oid;
	NameData	name;
} TallyKey;

/* How many tables have it */
typedef struct Tally
{
	TallyKey	key;			/* first, for the hash table */
	int			tables;
} Tally;

typedef struct Survey
{
	MemoryContext context;
	HTAB	   *tallies;
	List	   *left_out;		/* OIDs of objects that are not the team's */
	int			tables;
	int			keys;			/* that hold an id, or one column of another
								 * name */
	int			styles[ID_ANY + 1]; /* those as each style wants them */
	int			primary_keys;
	int			composite;		/* of several columns, */
	int			composite_taken;	/* and taken as such */
	int			created;		/* tables that have such a column */
	int			updated;
	Agreement	candidates[ID_ANY]; /* of each style, to judge keys by */
} Survey;

extern Survey *dbkit_survey(void);
extern bool dbkit_is_left_out(const Survey *survey, const Facts *facts);
extern List *dbkit_tallies(const Survey *survey, TallyKind kind);

#endif							/* DBKIT_SURVEY_H */
