/*-------------------------------------------------------------------------
 *
 * sha256.h
 *		Hashes of texts.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_LEDGER_SHA256_H
#define DBKIT_LEDGER_SHA256_H

extern char *dbkit_sha256(const char *string, int length);

#endif							/* DBKIT_LEDGER_SHA256_H */
