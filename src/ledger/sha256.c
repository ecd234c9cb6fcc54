/*-------------------------------------------------------------------------
 *
 * sha256.c
 *		Hashes of texts.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "mb/pg_wchar.h"
#include "utils/builtins.h"

#include "common.h"
#include "ledger/sha256.h"

/*
 * Return the SHA-256 of a text as lower-case hexadecimal digits: of its bytes in UTF-8, whatever the encoding of
 * the database is.  SQL_ASCII is none, so there it is that of the bytes.
 */
char *
dbkit_sha256(const char *string, int length)
{
	bool		encoded = GetDatabaseEncoding() != PG_SQL_ASCII;
	const char *utf8 = encoded ? pg_server_to_any(string, length, PG_UTF8) : string;
	Datum		bytes = PointerGetDatum(cstring_to_text(utf8));

	return TextDatumGetCString(DirectFunctionCall2(binary_encode, DirectFunctionCall1(sha256_bytea, bytes), CStringGetTextDatum("hex")));
}
