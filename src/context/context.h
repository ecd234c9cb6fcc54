/*-------------------------------------------------------------------------
 *
 * context.h
 *		What the files of the tenant context share with each other.
 *
 *	context.c		entering, reading, and carrying it to parallel workers
 *	guard.c		refusing what would leave or outlive it
 *	signature.c	nonces, the key file, checking a signature
 *	protect.c	dbkit.protect
 *	partition.c	protecting new partitions and children as their parent is
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_CONTEXT_H
#define DBKIT_CONTEXT_H

#include "lib/stringinfo.h"
#include "tcop/deparse_utility.h"

#define DBKIT_NONCE_BYTES	16

/* 16 random bytes in hexadecimal, or an empty string */
typedef char dbkit_nonce_text[2 * DBKIT_NONCE_BYTES + 1];

/* context.c */
extern void dbkit_context_check_settings(void);
extern void dbkit_context_init(void);
extern bool dbkit_context_guards(const char *setting);
extern bool dbkit_context_is_entered(void);
extern void dbkit_context_check_role(void);
extern void dbkit_append_netstring(StringInfo buf, const char *value);

/* guard.c */
extern int	dbkit_query_depth;
extern int	dbkit_held_cursor_depth;
extern void dbkit_context_check_session(void);
extern void dbkit_context_guard_init(void);

/* signature.c */
extern void dbkit_context_signature_init(void);
extern bool dbkit_context_is_signed(void);
extern void dbkit_take_nonce(dbkit_nonce_text nonce);
extern void dbkit_check_signature(const char *user_id, const char *organization_id,
								  const char *signature, const char *nonce);

/* partition.c */
extern void dbkit_protect_new_members(Oid relid, const CollectedCommand *command);

/* protect.c */
extern void dbkit_warn_of_foreign_table(Oid relid);

#endif							/* DBKIT_CONTEXT_H */
