/*-------------------------------------------------------------------------
 *
 * agreement.h
 *		What the team has agreed on: how its schema is to look.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_AGREEMENT_H
#define DBKIT_AGREEMENT_H

#include "nodes/pg_list.h"

/* What ids look like */
typedef enum IdStyle
{
	ID_PREFIXED,
	ID_UUID,
	ID_BIGINT,
	ID_ANY
} IdStyle;

/* The agreement, with the defaults filled in; lists are of char * */
typedef struct Agreement
{
	const char *preset;
	IdStyle		id_style;
	bool		composite_keys;
	List	   *created_at_columns;
	List	   *updated_at_columns;
	List	   *updated_at_functions;	/* name or schema.name, quoted as in
										 * SQL */
	List	   *id_suffixes;
	List	   *extid_suffixes;
	List	   *user_tables;	/* likewise */
	List	   *organization_tables;	/* likewise */
	List	   *user_columns;
	List	   *organization_columns;
	const char *customer_role;	/* NULL for none */
	const char *admin_role;		/* NULL for none */
	bool		reserve_settings;
}			Agreement;

extern const Agreement *dbkit_agreement(void);

#endif							/* DBKIT_AGREEMENT_H */
