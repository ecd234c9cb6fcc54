/*-------------------------------------------------------------------------
 *
 * rows.h
 *		Read the rows that the catalogs have about relations.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_ROWS_H
#define DBKIT_ROWS_H

#include "access/genam.h"
#include "access/htup.h"
#include "executor/tuptable.h"
#include "utils/relcache.h"
#include "utils/snapshot.h"

#include "convention/facts/catalogs.h"

/* The catalogs that describe relations */
typedef enum RowKind
{
	ROWS_CLASS,
	ROWS_COLUMN,
	ROWS_DEFAULT,
	ROWS_CONSTRAINT,
	ROWS_INDEX,
	ROWS_TRIGGER,
	ROWS_POLICY,
	ROWS_PARENT
} RowKind;

#define N_ROW_KINDS		(ROWS_PARENT + 1)

typedef struct RowStream
{
	Relation	catalog;
	Relation	index;
	Snapshot	snapshot;
	IndexScanDesc scan;			/* NULL while all this is not open */
	TupleTableSlot *slot;
	bool		ahead;			/* is the index entry one to come? */
	bool		ended;			/* was that the last one? */
	Oid			relid;			/* what it is about */
} RowStream;

typedef struct RowReader
{
	MemoryContext context;		/* for what the scans allocate */
	const Catalogs *catalogs;	/* the state that is read */
	bool		many;			/* relations, in the order of their oids */
	uint64		changes;		/* seen when the streams were opened */
	HTAB	   *members;		/* objects of extensions, where many are read */
	HeapTuple	class_row;		/* what is known already, or NULL */
	RowStream	streams[N_ROW_KINDS];
} RowReader;

extern uint64 dbkit_relation_changes(void);
extern void dbkit_open_reader(RowReader *reader, const Catalogs *catalogs, bool many);
extern void dbkit_pause_reader(RowReader *reader);
extern void dbkit_refresh_reader(RowReader *reader);
extern HeapTuple dbkit_next_row(RowReader *reader, RowKind kind, Oid relid);
extern Datum dbkit_row_value(RowReader *reader, RowKind kind, AttrNumber attnum, bool *isnull);
extern char *dbkit_row_expression(RowReader *reader, RowKind kind, AttrNumber attnum);
extern bool dbkit_is_extension_member(RowReader *reader, Oid classid, Oid objid);
extern void dbkit_close_reader(RowReader *reader);
extern void dbkit_rows_init(void);

#endif							/* DBKIT_ROWS_H */
