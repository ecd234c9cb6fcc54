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

/* Return where the value of a netstring ends, which begins at the colon, or NULL */
static char *
find_end(char *colon, unsigned long length)
{
	return *colon == ':' && strlen(colon + 1) > length ? colon + 1 + length : NULL;
}

/*
 * Read one netstring, and move the cursor behind it.  The text may be somebody else's: where it
 * is not what dbkit_append_netstring() writes, the cursor is NULL from then on.
 */
char *
dbkit_read_netstring(char **cursor)
{
	char	   *start = *cursor;
	char	   *value = NULL;
	char	   *end = NULL;

	if (start == NULL)
		return NULL;
	if (*start == '-')
		end = start + 1;
	else if (isdigit((unsigned char) *start))
	{
		unsigned long length = strtoul(start, &start, 10);

		end = find_end(start, length);
		if (end != NULL)
			value = pnstrdup(start + 1, length);
	}
	*cursor = end != NULL && *end == ',' ? end + 1 : NULL;
	return value;
}
