/*-------------------------------------------------------------------------
 *
 * members.h
 *		The tables below one, which a fix of it would change as well.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_MEMBERS_H
#define DBKIT_MEMBERS_H

#include "convention/facts/facts.h"

extern bool dbkit_has_foreign_member(const Facts *facts);
extern bool dbkit_member_has_other_default(const Facts *facts, const ColumnFacts *column);
extern bool dbkit_partition_has_trigger(const Facts *facts, const char *name);

#endif							/* DBKIT_MEMBERS_H */
