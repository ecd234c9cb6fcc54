/*-------------------------------------------------------------------------
 *
 * tree.c
 *		Make the trees of stored expressions.
 *
 * Whoever makes a very long or deep expression must not stop dbkit.check(), so such
 * a one is not read.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/detoast.h"
#include "nodes/nodes.h"
#include "utils/builtins.h"

#include "common.h"
#include "convention/facts/tree.h"

/* Longer or deeper expressions are not read */
#define MAX_LENGTH		(256 * 1024)
#define MAX_DEPTH		400

/* A shorter one is not so deep: a node takes more than 20 characters */
#define MIN_DEEP_LENGTH	(20 * MAX_DEPTH)

/* How deep are the nodes and lists of an expression?  outToken() escapes others' brackets. */
static int
depth_of(const char *stored)
{
	int			depth = 0;
	int			deepest = 0;

	for (; *stored != '\0'; stored++)
	{
		if (*stored == '\\' && stored[1] != '\0')
			stored++;
		else if (*stored == '{' || *stored == '(')
			deepest = Max(deepest, ++depth);
		else if (*stored == '}' || *stored == ')')
			depth--;
	}
	return deepest;
}

/*
 * Return a copy of the text of an expression that a catalog stores.  One that is too
 * long to be read is empty, and has no tree.
 */
char *
dbkit_stored_text(Datum stored)
{
	if (toast_raw_datum_size(stored) > MAX_LENGTH)
		return pstrdup("");
	return TextDatumGetCString(stored);
}

/* Return the tree of such a text, or NULL where it is too long or too deep. */
Node *
dbkit_stored_tree(const char *stored)
{
	if (strlen(stored) >= MIN_DEEP_LENGTH && depth_of(stored) > MAX_DEPTH)
		return NULL;
	return stringToNode(stored);
}
