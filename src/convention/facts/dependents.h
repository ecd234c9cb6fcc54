/*-------------------------------------------------------------------------
 *
 * dependents.h
 *		What else a change of a table's columns would concern.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_DEPENDENTS_H
#define DBKIT_DEPENDENTS_H

#include "convention/facts/facts.h"

/* Where the type of a table's rows is used; what keeps most from changing is last */
typedef enum RowTypeUse
{
	ROW_TYPE_UNUSED,
	ROW_TYPE_IN_FUNCTION,		/* or anything else but the next */
	ROW_TYPE_IN_COLUMN
} RowTypeUse;

extern const List *dbkit_with_children(const Facts *facts);
extern RowTypeUse dbkit_row_type_use(const Facts *facts);
extern bool dbkit_is_published(const Facts *facts);
extern bool dbkit_child_has_column(const Facts *facts, const char *column);
extern bool dbkit_child_has_other_parent(const Facts *facts, const char *column);
extern bool dbkit_keeps_type(const Facts *facts, const ColumnFacts *column, Oid target, bool new_default);

#endif							/* DBKIT_DEPENDENTS_H */
