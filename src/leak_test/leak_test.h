/*-------------------------------------------------------------------------
 *
 * leak_test.h
 *		What all parts of dbkit.leak_test() know.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_LEAK_TEST_H
#define DBKIT_LEAK_TEST_H

#include "leak_test/subjects.h"

typedef struct LeakTest
{
	Oid			role;
	const char *search_path;	/* for what the role does: the session's */
	List	   *tables;			/* Table * */
	List	   *subjects;		/* Subject * */
	Tenant		tenants[SIDES];
	List	   *my_rows;		/* Row * */
	List	   *others_rows;	/* Row * */

	MemoryContext memory;		/* of all this */
	List	   *lines;			/* char *: the report */
	int			count;			/* of tests */
} LeakTest;

/* What came of trying something */
typedef enum LeakVerdict
{
	NOT_TRIED,					/* the role may not, or there is nothing */
	ISOLATED,
	LEAKS,
	LEAKS_AS_AGREED,
	UNDECIDED
} LeakVerdict;

extern LeakVerdict dbkit_try_change(const LeakTest *test, const Subject *subject, char **detail);
extern LeakVerdict dbkit_try_delete(const LeakTest *test, const Subject *subject, char **detail);
extern LeakVerdict dbkit_try_truncate(const LeakTest *test, const Subject *subject, char **detail);
extern LeakVerdict dbkit_try_insert(const LeakTest *test, const Subject *subject, char **detail);
extern LeakVerdict dbkit_try_move(const LeakTest *test, const Subject *subject, char **detail);
extern LeakVerdict dbkit_try_reference(const LeakTest *test, const Subject *subject, char **detail);
extern LeakVerdict dbkit_try_unique_keys(const LeakTest *test, const Subject *subject, char **detail);
extern LeakVerdict dbkit_try_guess(const LeakTest *test, const Subject *subject, char **detail);
extern LeakVerdict dbkit_try_conditions(const LeakTest *test, const Subject *subject, char **detail);
extern char *dbkit_unproven_view(const Subject *subject);

#endif							/* DBKIT_LEAK_TEST_H */
