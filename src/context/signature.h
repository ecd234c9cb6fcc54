/*-------------------------------------------------------------------------
 *
 * signature.h
 *		Signed mode of the tenant context: only who holds the key can enter.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_SIGNATURE_H
#define DBKIT_SIGNATURE_H

#include "common/sha2.h"

#define DBKIT_NONCE_BYTES	16
#define DBKIT_SIGNATURE_LENGTH	(2 * PG_SHA256_DIGEST_LENGTH)

/* 16 random bytes in hexadecimal, or an empty string */
typedef char dbkit_nonce_text[2 * DBKIT_NONCE_BYTES + 1];

/* A signature as lower-case hexadecimal digits */
typedef char dbkit_signature_text[DBKIT_SIGNATURE_LENGTH + 1];

extern bool dbkit_context_is_signed(void);
extern void dbkit_make_nonce(dbkit_nonce_text nonce);
extern void dbkit_sign_values(const char *const values[], int count, dbkit_signature_text signature);
extern bool dbkit_same_signature(const char *given, const char *expected);
extern void dbkit_take_nonce(dbkit_nonce_text nonce);
extern void dbkit_check_signature(const char *user_id, const char *organization_id,
								  const char *signature, const char *nonce);
extern void dbkit_signature_init(void);

#endif							/* DBKIT_SIGNATURE_H */
