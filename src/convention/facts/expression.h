/*-------------------------------------------------------------------------
 *
 * expression.h
 *		What a default or a CHECK says, read from its expression tree.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_EXPRESSION_H
#define DBKIT_EXPRESSION_H

#include "access/attnum.h"
#include "nodes/pg_list.h"

#include "convention/facts/catalogs.h"

extern Node *dbkit_strip_lossless_casts(Node *expr);
extern bool dbkit_is_call(Node *expr, Oid *function, List **args);
extern char *dbkit_known_text(Node *expr);
extern char *dbkit_generated_prefix(Node *expr);
extern char *dbkit_pinned_prefix(Node *expr, AttrNumber attnum);
extern bool dbkit_is_now(const char *stored);
extern bool dbkit_is_clock(Node *expr);
extern bool dbkit_generates_uuid(const Catalogs *catalogs, Node *expr);
extern bool dbkit_is_nextval(Node *expr, Oid *sequence);
extern bool dbkit_lets_all_pass(const char *stored);
extern bool dbkit_lets_changes_pass(const char *stored);
extern List *dbkit_not_null_columns(const char *stored);
extern bool dbkit_proves_not_null(const char *stored, AttrNumber attnum);
extern bool dbkit_uses_type(const List *expressions, AttrNumber attnum, bool operators);
extern char *dbkit_forgeable_setting(const char *stored, bool mirrors_guarded);

#endif							/* DBKIT_EXPRESSION_H */
