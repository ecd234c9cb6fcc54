/*-------------------------------------------------------------------------
 *
 * id_style.h
 *		What ids and the columns that hold them look like.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_ID_STYLE_H
#define DBKIT_ID_STYLE_H

#include "convention/facts/facts.h"

/* What a column that holds an id is to be, where ids are prefixed */
#define DBKIT_ID_TYPE		"text COLLATE \"C\""

/* The type that a column is to have */
typedef struct IdType
{
	Oid			type;			/* InvalidOid for any */
	Oid			collation;
	const char *definition;		/* as in CREATE TABLE */
	const char *key;			/* that of a primary key, with its value */
	const char *value;			/* the clause that gives its value, or NULL
								 * where there is a rule of its own for that */
} IdType;

extern bool dbkit_ids_are_prefixed(void);
extern const IdType *dbkit_id_type(void);
extern const char *dbkit_write_key_type(const Facts *facts, const ColumnFacts *column, const ColumnFacts *key);
extern bool dbkit_find_id_type(const Facts *facts, const ColumnFacts *column, IdType *wanted);
extern bool dbkit_keys_may_come_later(void);
extern bool dbkit_waits_for_key(const Facts *facts, const ColumnFacts *column);
extern bool dbkit_waits_for_other_end(const Facts *facts, const ColumnFacts *column);
extern bool dbkit_has_type(const ColumnFacts *column, const IdType *type);
extern bool dbkit_is_id_name(const char *name);
extern const char *dbkit_id_suffix(const char *name);
extern char *dbkit_extid_name(const char *name, const char *suffix);

#endif							/* DBKIT_ID_STYLE_H */
