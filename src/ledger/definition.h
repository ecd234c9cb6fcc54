/*-------------------------------------------------------------------------
 *
 * definition.h
 *		A schema that is described as JSON.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_LEDGER_DEFINITION_H
#define DBKIT_LEDGER_DEFINITION_H

#include "nodes/pg_list.h"
#include "utils/jsonb.h"

typedef struct Definition
{
	List	   *tables;			/* TableDescription * */
	List	   *migrations;		/* char *, statements after them, the last
								 * with its semicolon */
} Definition;

extern Definition dbkit_read_definition(Jsonb *json);

#endif							/* DBKIT_LEDGER_DEFINITION_H */
