/*-------------------------------------------------------------------------
 *
 * tree.c
 *		Make the trees of stored expressions.
 *
 * The ids of a database all have the same default and the same CHECK, but for one
 * constant, the prefix, and to make trees of their texts is much of what it takes
 * to judge a table.  So the last few are kept, with their texts as outfuncs.c wrote
 * them, cut where the constant and the places in the source stand.  An expression
 * that differs in nothing else has the same tree, with its own constant.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <ctype.h>

#include "access/detoast.h"
#include "nodes/nodeFuncs.h"
#include "nodes/pg_list.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "common.h"
#include "convention/facts/tree.h"

/* How many are kept; a default and a CHECK are looked at in turn */
#define N_TEMPLATES		4

/* Longer texts are not kept */
#define MAX_LENGTH		4096

/* Longer or deeper ones are not read: whoever makes such a thing must not stop dbkit.check() */
#define MAX_READ_LENGTH	(256 * 1024)
#define MAX_DEPTH		400

typedef struct Template
{
	MemoryContext context;		/* of all that follows, NULL while it is not
								 * used */
	List	   *pieces;			/* char *, the text between what may differ */
	int			before_constant;	/* which of the pieces the constant
									 * follows */
	Const	   *constant;
	Node	   *tree;
} Template;

/* What may differ, and the characters that it is written with */
static const struct
{
	const char *label;
	const char *characters;
}			gaps[] = {
#define LOCATION_GAP	0
	{":location ", "-0123456789"},
#define CONSTANT_GAP	1
	{":constvalue ", "-0123456789 []"},
};

static Template templates[N_TEMPLATES];

/* Read a number, after blanks, and go behind it. */
static int
read_number(const char **stored)
{
	bool		negative;
	int			number = 0;

	while (**stored == ' ')
		(*stored)++;
	negative = **stored == '-';
	for (*stored += negative; isdigit((unsigned char) **stored); (*stored)++)
		number = 10 * number + (**stored - '0');
	return negative ? -number : number;
}

/* Return the constant that outfuncs.c wrote as "LENGTH [ BYTE ... ]". */
static Datum
read_constant(const char *stored)
{
	int			length = read_number(&stored);
	char	   *value = palloc(length);

	stored += strlen(" [");
	for (int i = 0; i < length; i++)
		value[i] = (char) read_number(&stored);
	return PointerGetDatum(value);
}

/* Make the template's tree that of a stored expression, if the two are alike. */
static bool
fill_in(Template *template, const char *stored)
{
	const char *constant = NULL;
	ListCell   *lc;

	foreach(lc, template->pieces)
	{
		const char *piece = lfirst(lc);
		size_t		length = strlen(piece);
		int			gap = LOCATION_GAP;

		if (strncmp(stored, piece, length) != 0)
			return false;
		stored += length;
		if (foreach_current_index(lc) == template->before_constant)
		{
			gap = CONSTANT_GAP;
			constant = stored;
		}
		if (lnext(template->pieces, lc) != NULL)
			stored += strspn(stored, gaps[gap].characters);
	}
	Assert(*stored == '\0');	/* the braces are closed */
	template->constant->constvalue = read_constant(constant);
	return true;
}

/* Collect the constants of a tree, other than NULL. */
static bool
find_constants(Node *node, void *context)
{
	List	  **constants = context;

	if (node == NULL)
		return false;
	if (IsA(node, Const) && !((Const *) node)->constisnull)
		*constants = lappend(*constants, node);
	return expression_tree_walker(node, find_constants, context);
}

/*
 * Return where something begins that may differ, and what it is, or NULL.  A
 * label that no number follows is a NULL, or part of a user's name.
 */
static const char *
next_gap(const char *stored, int *gap)
{
	for (; *stored != '\0'; stored++)
	{
		for (size_t i = 0; i < lengthof(gaps); i++)
		{
			size_t		length = strlen(gaps[i].label);

			if (strncmp(stored, gaps[i].label, length) == 0 &&
				strspn(stored + length, gaps[i].characters) > 0)
			{
				*gap = i;
				return stored + length;
			}
		}
	}
	return NULL;
}

/* Cut the text of an expression; returns how many constants are in it. */
static int
cut(Template *template, const char *stored)
{
	int			constants = 0;
	int			gap;
	const char *end;

	while ((end = next_gap(stored, &gap)) != NULL)
	{
		if (gap == CONSTANT_GAP)
		{
			template->before_constant = list_length(template->pieces);
			constants++;
		}
		template->pieces = lappend(template->pieces, pnstrdup(stored, end - stored));
		stored = end + strspn(end, gaps[gap].characters);
	}
	template->pieces = lappend(template->pieces, pstrdup(stored));
	return constants;
}

/* Is there one constant, of a type such as text? */
static bool
is_one_text(const List *constants)
{
	return list_length(constants) == 1 && ((const Const *) linitial(constants))->constlen == -1;
}

/* How deep are the nodes and lists of a stored expression?  outToken() escapes others' brackets. */
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
	if (toast_raw_datum_size(stored) > MAX_READ_LENGTH)
		return pstrdup("");
	return TextDatumGetCString(stored);
}

/*
 * Return the tree of a stored expression, or NULL where it is so long or so deep
 * that none of the rules could be about it.
 */
Node *
dbkit_read_tree(const char *stored)
{
	return depth_of(stored) > MAX_DEPTH ? NULL : stringToNode(stored);
}

/*
 * The same, but the tree may be shared: it is as it is until the next call, or
 * until the current memory context is reset.
 */
Node *
dbkit_stored_tree(const char *stored)
{
	static int	oldest = 0;
	MemoryContext caller;
	Template	template = {0};
	List	   *constants = NIL;

	for (int i = 0; i < N_TEMPLATES && templates[i].context != NULL; i++)
	{
		if (fill_in(&templates[i], stored))
			return templates[i].tree;
	}

	template.context = AllocSetContextCreate(CurrentMemoryContext, "dbkit expression",
											 ALLOCSET_SMALL_SIZES);
	caller = MemoryContextSwitchTo(template.context);
	template.tree = dbkit_read_tree(stored);
	(void) find_constants(template.tree, &constants);
	if (strlen(stored) <= MAX_LENGTH && is_one_text(constants) && cut(&template, stored) == 1)
	{
		template.constant = linitial(constants);
		MemoryContextSetParent(template.context, TopMemoryContext);
		if (templates[oldest].context != NULL)
			MemoryContextDelete(templates[oldest].context);
		templates[oldest] = template;
		oldest = (oldest + 1) % N_TEMPLATES;
	}
	MemoryContextSwitchTo(caller);
	return template.tree;
}
