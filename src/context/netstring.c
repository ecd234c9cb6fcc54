/*-------------------------------------------------------------------------
 *
 * netstring.c
 *		Write and read values as netstrings.
 *
 * A netstring is the length in bytes, a colon, the bytes and a comma
 * (cr.yp.to/proto/netstrings.txt).  NULL is "-,".  So no two lists of values
 * look the same.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/builtins.h"

#include "common.h"
#include "context/netstring.h"

/* Append a value */
void
dbkit_append_netstring(StringInfo buf, const char *value)
{
	if (value)
	{
		uint32		length = strlen(value);
		char		digits[10];

		appendBinaryStringInfo(buf, digits, pg_ultoa_n(length, digits));
		appendStringInfoChar(buf, ':');
		appendBinaryStringInfo(buf, value, length);
	}
	else
		appendStringInfoChar(buf, '-');
	appendStringInfoChar(buf, ',');
}

/* Read one netstring of our own making, and move the cursor behind it */
char *
dbkit_read_netstring(char **cursor)
{
	char	   *value = NULL;

	if (**cursor == '-')
		(*cursor)++;
	else
	{
		unsigned long length = strtoul(*cursor, cursor, 10);

		value = pnstrdup(*cursor + 1, length);
		*cursor += 1 + length;
	}
	(*cursor)++;
	return value;
}
