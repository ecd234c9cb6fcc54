/*-------------------------------------------------------------------------
 *
 * catalogs.h
 *		Look things up in the catalogs, as they are or as they were before the
 *		transaction.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_CATALOGS_H
#define DBKIT_CATALOGS_H

#include "access/htup.h"
#include "catalog/pg_type.h"
#include "nodes/pg_list.h"
#include "utils/hsearch.h"
#include "utils/snapshot.h"

/* Catalogs in one of two states */
typedef struct Catalogs
{
	Snapshot	snapshot;		/* NULL: as they are now */
	HTAB	   *memo;			/* rows that were looked up, by kind and oid */
	MemoryContext context;		/* where they are */
} Catalogs;

extern const Catalogs dbkit_now;

/* What is looked up by its oid */
typedef enum CatalogKind
{
	CATALOG_RELATION,
	CATALOG_TYPE,
	CATALOG_FUNCTION,
	CATALOG_SCHEMA,
	CATALOG_OPERATOR_CLASS,
	CATALOG_RANGE,
	CATALOG_MULTIRANGE,
	CATALOG_PARTITIONED,
	CATALOG_CONSTRAINT,
	CATALOG_SEQUENCE,
	CATALOG_INDEX,
	CATALOG_ROLE
} CatalogKind;

extern void dbkit_open_before(Catalogs *catalogs);
extern void dbkit_close_before(Catalogs *catalogs);

extern HeapTuple dbkit_catalog_row(const Catalogs *catalogs, CatalogKind kind, Oid oid);
extern Datum dbkit_catalog_value(CatalogKind kind, HeapTuple row, AttrNumber attnum, bool *isnull);
extern Oid	dbkit_catalog_search(const Catalogs *catalogs, CatalogKind kind, const char *name,
								 const oidvector *arguments, Oid namespace);
extern bool dbkit_catalog_member(const Catalogs *catalogs, Oid classid, Oid objid);
extern List *dbkit_catalog_dependents(const Catalogs *catalogs, Oid classid, Oid objid, int32 objsubid, bool parts);
extern bool dbkit_catalog_has_rows(const Catalogs *catalogs, Oid catalog);
extern bool dbkit_catalog_comment(const Catalogs *catalogs, Oid relid, AttrNumber attnum);

extern List *dbkit_catalog_children(const Catalogs *catalogs, Oid relid);
extern List *dbkit_catalog_indexes(const Catalogs *catalogs, Oid relid);
extern List *dbkit_catalog_parents(const Catalogs *catalogs, Oid relid);
extern bool dbkit_catalog_column(const Catalogs *catalogs, Oid relid, AttrNumber attnum, Oid *type, Oid *collation);
extern AttrNumber dbkit_catalog_attnum(const Catalogs *catalogs, Oid relid, const char *name);
extern char *dbkit_catalog_default(const Catalogs *catalogs, Oid relid, AttrNumber attnum, Oid *oid);
extern char *dbkit_catalog_column_name(const Catalogs *catalogs, Oid relid, AttrNumber attnum);
extern Form_pg_type dbkit_catalog_type(const Catalogs *catalogs, Oid type);
extern Oid	dbkit_element_type(const Catalogs *catalogs, Oid type);
extern Oid	dbkit_range_subtype(const Catalogs *catalogs, Oid type);
extern Oid	dbkit_multirange_range(const Catalogs *catalogs, Oid type);
extern Oid	dbkit_operator_class_method(const Catalogs *catalogs, Oid operator_class);
extern bool dbkit_is_volatile(const Catalogs *catalogs, Oid function);
extern CatalogKind dbkit_catalog_of(Oid classid);
extern char *dbkit_catalog_schema(const Catalogs *catalogs, Oid namespace);
extern char *dbkit_catalog_name(const Catalogs *catalogs, CatalogKind kind, Oid oid, Oid *namespace);
extern char *dbkit_catalog_quoted_name(const Catalogs *catalogs, Oid relid);
extern char *dbkit_catalog_identity(const Catalogs *catalogs, Oid relid);

/* For texts about what is there now */
extern const char *dbkit_collation_name(Oid collation);
extern char *dbkit_collation_sql(Oid collation);
extern char *dbkit_referenced_column_names(Oid constraint, Oid referenced);

#endif							/* DBKIT_CATALOGS_H */
