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
#include "utils/jsonb.h"

/* The function that holds it, in the schema of the extension */
#define DBKIT_AGREEMENT_FUNCTION	"dbkit_agreement"

/* What ids look like */
typedef enum IdStyle
{
	ID_PREFIXED,
	ID_UUID,
	ID_BIGINT,
	ID_ANY
} IdStyle;

/* The name of a table or function */
typedef struct ListedName
{
	char	   *schema;			/* NULL for any */
	char	   *name;
} ListedName;

/* The agreement, with the defaults filled in; lists are of char * unless said otherwise */
typedef struct Agreement
{
	uint64		number;			/* of how often it was read: another one,
								 * another agreement */
	const char *preset;
	IdStyle		id_style;
	bool		composite_keys;
	List	   *created_at_columns;
	List	   *updated_at_columns;
	List	   *updated_at_functions;	/* ListedName * */
	List	   *id_suffixes;
	List	   *extid_suffixes;
	List	   *user_tables;	/* likewise */
	List	   *organization_tables;	/* likewise */
	List	   *user_columns;
	List	   *organization_columns;
	const char *customer_role;	/* NULL for none */
	const char *admin_role;		/* NULL for none */
	bool		reserve_settings;
	List	   *team_rules;		/* TeamRuleDefinition * */

	Jsonb	   *own;			/* as it was agreed, or NULL for none */
	Jsonb	   *of_preset;		/* what the preset differs in from the
								 * defaults */
	Jsonb	   *defaults;		/* with those of the preset */

	Oid			function;		/* that holds it, or InvalidOid */
	const char *untrusted;		/* why the function is not used, or NULL */
	List	   *problems;		/* what is wrong in it */
} Agreement;

extern const Agreement *dbkit_agreement(void);
extern const Agreement *dbkit_supposed_agreement(void);
extern void dbkit_suppose_agreement(const Agreement *agreement);
extern bool dbkit_agreed_value(const Agreement *agreement, const char *key, JsonbValue *value);
extern Jsonb *dbkit_latest_agreement(void);
extern void dbkit_read_agreement(Agreement *agreement, Jsonb *own);
extern bool dbkit_keeps_agreement(const char *schema, const char *name);
extern void dbkit_refresh_agreement(void);
extern bool dbkit_find_extension(Oid *owner, Oid *namespace);
extern Oid	dbkit_database_owner(void);
extern void dbkit_agreement_init(void);

#endif							/* DBKIT_AGREEMENT_H */
