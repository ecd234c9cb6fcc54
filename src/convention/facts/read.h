/*-------------------------------------------------------------------------
 *
 * read.h
 *		Read the description of one relation, type or function.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_READ_H
#define DBKIT_READ_H

#include "convention/facts/facts.h"
#include "convention/facts/rows.h"

extern Facts *dbkit_facts(const Catalogs *catalogs, Oid classid, Oid objid, FactSet wanted);
extern Facts *dbkit_read_facts(RowReader *reader, Oid classid, Oid objid, FactSet wanted);
extern char *dbkit_read_search_path(HeapTuple function);

#endif							/* DBKIT_READ_H */
