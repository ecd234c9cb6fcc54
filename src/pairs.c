/*-------------------------------------------------------------------------
 *
 * pairs.c
 *		Read a setting that is a list of name=value.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common.h"
#include "pairs.h"

/* Cut the spaces off both ends of a text. */
static char *
trim(char *text)
{
	char	   *end;

	text += strspn(text, DBKIT_BLANKS);
	for (end = text + strlen(text); end > text && strchr(DBKIT_BLANKS, end[-1]) != NULL; end--)
		;
	*end = '\0';
	return text;
}

/*
 * Read the next name=value of a list with commas, which is taken apart by that; false where there
 * is none left, that is for NULL.  The value is NULL where there is no equals sign.
 */
bool
dbkit_next_pair(char **rest, char **name, char **value)
{
	char	   *pair = *rest;

	if (pair == NULL)
		return false;
	*rest = strchr(pair, ',');
	if (*rest != NULL)
		*(*rest)++ = '\0';
	*value = strchr(pair, '=');
	if (*value != NULL)
	{
		*(*value)++ = '\0';
		*value = trim(*value);
	}
	*name = trim(pair);
	return true;
}
