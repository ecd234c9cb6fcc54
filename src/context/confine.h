/*-------------------------------------------------------------------------
 *
 * confine.h
 *		What would let a role out of its tenant: dbkit.confine_sql().
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_CONFINE_H
#define DBKIT_CONFINE_H

#include "nodes/pg_list.h"

extern List *dbkit_confining_statements(Oid role);
extern List *dbkit_confining_statements_at_once(Oid role, const char *name);

#endif							/* DBKIT_CONFINE_H */
