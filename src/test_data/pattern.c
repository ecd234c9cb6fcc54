/*-------------------------------------------------------------------------
 *
 * pattern.c
 *		Make a text that a LIKE pattern or a simple regular expression matches.
 *
 * A pattern is read as a row of places: which characters may stand there, and how many.
 * Of alternatives the first one is taken that is not empty, and what may be left out is.
 * Back references and look-around are not understood, but that what is not to follow is passed over.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <ctype.h>
#include <limits.h>

#include "lib/stringinfo.h"
#include "nodes/pg_list.h"

#include "common.h"
#include "test_data/shape.h"

/* Without an upper limit */
#define NO_LIMIT		INT_MAX

/* Who writes more than that is not served */
#define MAX_REPEATS		1000
#define MAX_PLACES		10000

/* So many characters that differ are enough for a new text each time */
#define WANTED_DIGITS	8

/* A place in the text */
typedef struct Place
{
	bool		allowed[128];
	int			least;
	int			most;
} Place;

/* Where in a regular expression the reading is */
typedef struct Reader
{
	const char *at;
	bool		failed;			/* something is not understood */
} Reader;

static List *read_alternatives(Reader *reader);

static void
allow_range(Place *place, int first, int last)
{
	for (int c = first; c <= last && c < 128; c++)
		place->allowed[c] = true;
}

static void
allow_text(Place *place, const char *text)
{
	for (; *text != '\0'; text++)
		place->allowed[(unsigned char) *text & 127] = true;
}

/* What else than themselves letters mean after a backslash, and classes of characters */
static void
allow_digits(Place *place)
{
	allow_range(place, '0', '9');
}

static void
allow_lower(Place *place)
{
	allow_range(place, 'a', 'z');
}

static void
allow_upper(Place *place)
{
	allow_range(place, 'A', 'Z');
}

static void
allow_letters(Place *place)
{
	allow_lower(place);
	allow_upper(place);
}

static void
allow_alnum(Place *place)
{
	allow_letters(place);
	allow_digits(place);
}

static void
allow_word(Place *place)
{
	allow_alnum(place);
	allow_text(place, "_");
}

static void
allow_space(Place *place)
{
	allow_text(place, " ");
}

static void
allow_hex(Place *place)
{
	allow_digits(place);
	allow_text(place, "abcdefABCDEF");
}

static void
allow_punctuation(Place *place)
{
	allow_text(place, "-_.!");
}

static const struct
{
	const char *name;
	void		(*allow) (Place *place);
}			classes[] = {
	{"d", allow_digits},
	{"w", allow_word},
	{"s", allow_space},
	{"alnum", allow_alnum},
	{"alpha", allow_letters},
	{"blank", allow_space},
	{"digit", allow_digits},
	{"graph", allow_word},
	{"lower", allow_lower},
	{"print", allow_word},
	{"punct", allow_punctuation},
	{"space", allow_space},
	{"upper", allow_upper},
	{"word", allow_word},
	{"xdigit", allow_hex},
};

static bool
allow_class(Place *place, const char *name)
{
	for (size_t i = 0; i < lengthof(classes); i++)
	{
		if (strcmp(classes[i].name, name) == 0)
		{
			classes[i].allow(place);
			return true;
		}
	}
	return false;
}

/* Allow what can be seen and is not allowed. */
static void
invert(Place *place)
{
	for (int c = 0; c < 128; c++)
		place->allowed[c] = c > ' ' && c < 127 && !place->allowed[c];
}

static Place *
new_place(int least, int most)
{
	Place	   *place = palloc0(sizeof(Place));

	place->least = least;
	place->most = most;
	return place;
}

static Place *
literal_place(char c)
{
	Place	   *place = new_place(1, 1);

	place->allowed[(unsigned char) c & 127] = true;
	return place;
}

/* Read what follows a backslash. */
static void
read_escape(Reader *reader, Place *place)
{
	char		name[2] = {*reader->at, '\0'};

	if (*reader->at == '\0')
		reader->failed = true;
	else if (isupper((unsigned char) name[0]) && strchr("DWS", name[0]) != NULL)
	{
		name[0] = tolower((unsigned char) name[0]);
		(void) allow_class(place, name);
		invert(place);
	}
	else if (name[0] == 't' || name[0] == 'n')
		allow_text(place, name[0] == 't' ? "\t" : "\n");
	else if (!allow_class(place, name))
	{
		reader->failed |= isalnum((unsigned char) name[0]) != 0;
		allow_text(place, name);
	}
	if (*reader->at != '\0')
		reader->at++;
}

/* Read [:alpha:] and the like, the bracket of which has been seen; false if it is none. */
static bool
read_named_class(Reader *reader, Place *place)
{
	const char *end = strstr(reader->at, ":]");

	if (*reader->at != ':' || end == NULL)
		return false;
	reader->failed |= !allow_class(place, pnstrdup(reader->at + 1, end - reader->at - 1));
	reader->at = end + 2;
	return true;
}

/* Read one character, range or class between brackets. */
static void
read_member(Reader *reader, Place *place)
{
	char		first = *reader->at++;

	if (first == '\\')
		read_escape(reader, place);
	else if (first == '[' && read_named_class(reader, place))
		return;
	else if (reader->at[0] == '-' && reader->at[1] != ']' && reader->at[1] != '\0')
	{
		allow_range(place, (unsigned char) first, (unsigned char) reader->at[1]);
		reader->at += 2;
	}
	else if ((unsigned char) first < 128)
		place->allowed[(unsigned char) first] = true;
}

/* Read what stands between brackets, the first of which has been seen. */
static Place *
read_bracket(Reader *reader)
{
	Place	   *place = new_place(1, 1);
	bool		inverted = *reader->at == '^';
	bool		first = true;

	if (inverted)
		reader->at++;
	for (; *reader->at != '\0' && (first || *reader->at != ']'); first = false)
		read_member(reader, place);
	if (*reader->at == ']')
		reader->at++;
	else
		reader->failed = true;
	if (inverted)
		invert(place);
	return place;
}

/* Read a group, the parenthesis of which has been seen.  What (?!...) refuses is seldom what is made. */
static List *
read_group(Reader *reader)
{
	List	   *places;
	bool		refuses = reader->at[0] == '?' && reader->at[1] == '!';

	if (reader->at[0] == '?')
	{
		reader->failed |= reader->at[1] != ':' && !refuses;
		reader->at += reader->at[1] != '\0' ? 2 : 1;
	}
	places = read_alternatives(reader);
	if (*reader->at == ')')
		reader->at++;
	else
		reader->failed = true;
	return refuses ? NIL : places;
}

/* Read one atom; NIL for one that is no character. */
static List *
read_atom(Reader *reader)
{
	char		c = *reader->at++;
	Place	   *place;

	switch (c)
	{
		case '^':
		case '$':
			return NIL;
		case '(':
			return read_group(reader);
		case '[':
			return list_make1(read_bracket(reader));
		case '.':
			place = new_place(1, 1);
			allow_alnum(place);
			return list_make1(place);
		case '\\':
			if (*reader->at == 'A' || *reader->at == 'Z' || *reader->at == 'm' || *reader->at == 'M' || *reader->at == 'y')
			{
				reader->at++;
				return NIL;
			}
			place = new_place(1, 1);
			read_escape(reader, place);
			return list_make1(place);
		default:
			reader->failed |= (unsigned char) c >= 128;
			return list_make1(literal_place(c));
	}
}

/* Read {n}, {n,} or {n,m}, the brace of which has been seen. */
static void
read_bounds(Reader *reader, int *least, int *most)
{
	char	   *end;

	*least = *most = (int) strtol(reader->at, &end, 10);
	if (*end == ',')
	{
		reader->at = end + 1;
		*most = isdigit((unsigned char) *reader->at) ? (int) strtol(reader->at, &end, 10) : NO_LIMIT;
		if (*most == NO_LIMIT)
			end = unconstify(char *, reader->at);
	}
	reader->failed |= *end != '}' || *least < 0 || *least > MAX_REPEATS;
	reader->at = *end == '}' ? end + 1 : end;
}

/* Read how often the atom before may stand. */
static void
read_quantifier(Reader *reader, int *least, int *most)
{
	*least = *most = 1;
	switch (*reader->at)
	{
		case '*':
		case '?':
		case '+':
			*least = *reader->at == '+' ? 1 : 0;
			*most = *reader->at == '?' ? 1 : NO_LIMIT;
			reader->at++;
			break;
		case '{':
			reader->at++;
			read_bounds(reader, least, most);
			break;
		default:
			return;
	}
	if (*reader->at == '?')
		reader->at++;			/* not greedy */
}

/* Repeat what was read; a single place keeps how often it may. */
static List *
repeat(Reader *reader, List *places, int least, int most)
{
	List	   *result = NIL;

	if (list_length(places) == 1 && ((Place *) linitial(places))->least == 1 && ((Place *) linitial(places))->most == 1)
	{
		((Place *) linitial(places))->least = least;
		((Place *) linitial(places))->most = most;
		return places;
	}
	if (list_length(places) * least > MAX_PLACES)
		reader->failed = true;
	for (int i = 0; i < least && !reader->failed; i++)
		result = list_concat(result, places);
	return result;
}

/* Read a sequence, up to an alternative or the end of the group. */
static List *
read_sequence(Reader *reader)
{
	List	   *places = NIL;

	while (*reader->at != '\0' && *reader->at != '|' && *reader->at != ')' && !reader->failed)
	{
		List	   *atom = read_atom(reader);
		int			least;
		int			most;

		read_quantifier(reader, &least, &most);
		places = list_concat(places, repeat(reader, atom, least, most));
		reader->failed |= list_length(places) > MAX_PLACES;
	}
	return places;
}

/* Read alternatives, and return the first one that is not empty. */
static List *
read_alternatives(Reader *reader)
{
	List	   *places;

	check_stack_depth();
	places = read_sequence(reader);
	while (*reader->at == '|')
	{
		List	   *alternative;

		reader->at++;
		alternative = read_sequence(reader);
		if (places == NIL)
			places = alternative;
	}
	return places;
}

/* Return the characters that may stand at a place: letters and digits where there are some. */
static char *
characters(const Place *place)
{
	StringInfoData result;

	initStringInfo(&result);
	for (int c = '0'; c < 127; c++)
	{
		if (place->allowed[c] && (isdigit(c) || islower(c)))
			appendStringInfoChar(&result, c);
	}
	for (int c = '\t'; c < 127 && result.len == 0; c++)
	{
		if (place->allowed[c])
			appendStringInfoChar(&result, c);
	}
	for (int c = 'A'; c <= 'Z' && result.len == 1 && isupper((unsigned char) result.data[0]); c++)
	{
		if (place->allowed[c] && c != result.data[0])
			appendStringInfoChar(&result, c);
	}
	return result.data;
}

/* How many characters may be added at a place? */
static double
room_of(const Place *place)
{
	return place->most == NO_LIMIT ? 1e6 : place->most - place->least;
}

/* Have a place take more characters, as far as the text may be so long. */
static void
widen(Place *place, double *length, double wanted, double max_length)
{
	double		more = Min(Min(wanted, room_of(place)), max_length - *length);

	if (more > 0)
	{
		place->least += (int) more;
		*length += more;
	}
}

/* Choose how many characters stand at each place: enough for texts that differ, and as many as have to be. */
static void
choose_lengths(List *places, const Limits *limits)
{
	double		length = 0;
	double		digits = 0;
	Place	   *widest = NULL;
	ListCell   *lc;

	foreach(lc, places)
	{
		Place	   *place = lfirst(lc);
		bool		varies = strlen(characters(place)) > 1;

		length += place->least;
		digits += varies ? place->least : 0;
		if (room_of(place) > 0 && (widest == NULL || (varies && room_of(place) >= room_of(widest))))
			widest = place;
	}
	if (widest != NULL && digits < WANTED_DIGITS)
		widen(widest, &length, WANTED_DIGITS - digits, limits->max_length);
	foreach(lc, places)
		widen(lfirst(lc), &length, limits->min_length - length, limits->max_length);
}

/* Write the text; what may differ spells the number, its last digits at the end. */
static char *
write_text(List *places, uint64 number)
{
	int			length = 0;
	char	   *result;
	char	   *at;

	for (int i = 0; i < list_length(places); i++)
		length += ((Place *) list_nth(places, i))->least;
	result = palloc(length + 1);
	at = result + length;
	*at = '\0';
	for (int i = list_length(places) - 1; i >= 0; i--)
	{
		const Place *place = list_nth(places, i);
		const char *allowed = characters(place);
		size_t		count = strlen(allowed);

		for (int n = 0; n < place->least; n++)
		{
			if (count == 0)
				return NULL;
			*--at = allowed[number % count];
			number /= count;
		}
	}
	return result;
}

/* Copy places, each of which may stand several times in the list. */
static List *
copy_places(List *places)
{
	List	   *result = NIL;
	ListCell   *lc;

	foreach(lc, places)
	{
		Place	   *copy = palloc(sizeof(Place));

		*copy = *(Place *) lfirst(lc);
		result = lappend(result, copy);
	}
	return result;
}

/* Write a text; NULL where it would have to be too long.  What a pattern itself asks for has an end (MAX_PLACES). */
static char *
fill_places(List *places, const Limits *limits, uint64 number)
{
	if (limits->min_length > LONGEST_TEXT)
		return NULL;
	places = copy_places(places);
	choose_lengths(places, limits);
	return write_text(places, number);
}

/* Return a text that the regular expression matches, another for each number; NULL where it is not understood. */
char *
dbkit_text_matching(const char *regex, const Limits *limits, uint64 number)
{
	Reader		reader = {regex, false};
	List	   *places = read_alternatives(&reader);

	if (reader.failed || *reader.at != '\0')
		return NULL;
	return fill_places(places, limits, number);
}

/* Return a text that is LIKE the pattern, another for each number where the pattern leaves room. */
char *
dbkit_text_like(const char *like, const Limits *limits, uint64 number)
{
	List	   *places = NIL;

	for (; *like != '\0'; like++)
	{
		Place	   *place;

		if (*like != '%' && *like != '_')
		{
			if (*like == '\\' && like[1] != '\0')
				like++;
			if ((unsigned char) *like >= 128)
				return NULL;
			places = lappend(places, literal_place(*like));
			continue;
		}
		place = *like == '%' ? new_place(0, NO_LIMIT) : new_place(1, 1);
		allow_digits(place);
		allow_lower(place);
		places = lappend(places, place);
	}
	return fill_places(places, limits, number);
}
