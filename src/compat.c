/*-------------------------------------------------------------------------
 *
 * compat.c
 *		What older PostgreSQL versions do not export.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/guc.h"
#include "utils/guc_tables.h"

#include "compat.h"

#if PG_VERSION_NUM < 160000
/* Compare names as PostgreSQL sorts them (guc_name_compare in guc.c) */
static int
compare_names(const char *a, const char *b)
{
	for (; *a && pg_ascii_tolower((unsigned char) *a) == pg_ascii_tolower((unsigned char) *b); a++, b++)
		;
	if (!*a || !*b)
		return (*a != '\0') - (*b != '\0');
	return (char) pg_ascii_tolower((unsigned char) *a) - (char) pg_ascii_tolower((unsigned char) *b);
}

/* Find a setting by its name, as find_option does where it is exported */
struct config_generic *
dbkit_find_option_among(const char *name, struct config_generic **settings, int count)
{
	int			low = 0;
	int			high = count;

	while (low < high)
	{
		const int	middle = (low + high) / 2;
		const int	order = compare_names(name, settings[middle]->name);

		if (order == 0)
			return settings[middle];
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

/* Put a setting in its place again after its name has changed */
static void
sort_again(struct config_generic *setting, struct config_generic **settings, int count)
{
	int			at = 0;

	while (settings[at] != setting)
		at++;
	for (; at > 0 && compare_names(setting->name, settings[at - 1]->name) < 0; at--)
		settings[at] = settings[at - 1];
	for (; at < count - 1 && compare_names(setting->name, settings[at + 1]->name) > 0; at++)
		settings[at] = settings[at + 1];
	settings[at] = setting;
}
#endif

/*
 * Change the first character of the name of a custom setting, so that it is found
 * no longer, or again.
 *
 * From 16 on settings are in a hash table, whose keys point to the names; nothing
 * has the hash value of a name and another first character.
 */
void
dbkit_set_initial(struct config_generic *setting, char initial)
{
	*unconstify(char *, setting->name) = initial;
#if PG_VERSION_NUM < 160000
	sort_again(setting, get_guc_variables(), GetNumConfigOptions());
#endif
}
