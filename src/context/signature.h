/*-------------------------------------------------------------------------
 *
 * signature.h
 *		Signed mode of the tenant context: only who holds the key can enter.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_SIGNATURE_H
#define DBKIT_SIGNATURE_H

#define DBKIT_NONCE_BYTES	16

/* 16 random bytes in hexadecimal, or an empty string */
typedef char dbkit_nonce_text[2 * DBKIT_NONCE_BYTES + 1];

extern bool dbkit_context_is_signed(void);
extern void dbkit_take_nonce(dbkit_nonce_text nonce);
extern void dbkit_check_signature(const char *user_id, const char *organization_id,
								  const char *signature, const char *nonce);
extern void dbkit_signature_init(void);

#endif							/* DBKIT_SIGNATURE_H */
