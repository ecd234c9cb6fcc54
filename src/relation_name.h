/*-------------------------------------------------------------------------
 *
 * relation_name.h
 *		Names of relations, which may just have been dropped.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_RELATION_NAME_H
#define DBKIT_RELATION_NAME_H

#include "compat.h"

extern char *dbkit_find_relation_name(Oid relid);
extern char *dbkit_relation_name(Oid relid);
extern char *dbkit_schema_name(Oid schema);
pg_noreturn extern void dbkit_report_dropped(Oid relid);

#endif							/* DBKIT_RELATION_NAME_H */
