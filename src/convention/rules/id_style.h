/*-------------------------------------------------------------------------
 *
 * id_style.h
 *		What ids and the columns that hold them look like.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_ID_STYLE_H
#define DBKIT_ID_STYLE_H

/* What a column that holds an id is to be, where ids are prefixed */
#define DBKIT_ID_TYPE		"text COLLATE \"C\""

extern bool dbkit_ids_are_uuids(void);
extern bool dbkit_is_id_name(const char *name);
extern const char *dbkit_id_type(const char *column);
extern const char *dbkit_reference_type(void);

#endif							/* DBKIT_ID_STYLE_H */
