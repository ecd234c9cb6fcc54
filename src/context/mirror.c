/*-------------------------------------------------------------------------
 *
 * mirror.c
 *		The two settings that show the tenant context.
 *
 * They belong to the application, which may have values of its own in them,
 * until a context is entered.  Then dbkit's own settings take over their names;
 * what the application had is hidden, with all of its stacked values, and gets
 * the name back when the transaction ends.  A name that was unknown before is
 * unknown again.  Where the agreement reserves the settings, dbkit's own have
 * the names for as long as that holds, and what was there before is dropped.
 *
 * PostgreSQL does not forget a setting, so one is hidden by its name, whose
 * first character becomes one that no name can have.  What guc.c does with all
 * settings passes by: see hide().
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "utils/guc.h"
#include "utils/guc_tables.h"
#include "utils/memutils.h"

#include "common.h"
#include "context/mirror.h"

#define HIDDEN_INITIAL	'\001'

/* A setting whose name is taken away, and what to give back with it */
typedef struct HiddenSetting
{
	struct config_generic *setting; /* NULL for none */
	char		initial;
	GucContext	context;
	GucSource	reset_source;
	int			flags;
} HiddenSetting;

typedef struct Mirror
{
	char	   *name_setting;	/* the variable of dbkit.user_setting or its
								 * like */
	const char *name;			/* its value when the library was loaded */
	GucShowHook show;
	char	   *value;			/* always empty */
	bool		taken;			/* does dbkit's own setting have the name? */
	struct config_generic *own; /* NULL until it is first defined */
	HiddenSetting own_hidden;
	HiddenSetting application;
} Mirror;

static Mirror mirrors[2];
static dbkit_reservation is_reserved;

/* Are the mirrors kept from the application at this time? */
static bool reserved = false;

/* Tell whether a setting shows the context while one is entered */
bool
dbkit_is_mirror(const char *setting)
{
	for (int i = 0; i < (int) lengthof(mirrors); i++)
		if (pg_strcasecmp(setting, mirrors[i].name) == 0)
			return true;
	return false;
}

/*
 * Take a setting's name away.
 *
 * It stays in guc.c's tables, so that the end of a function, savepoint or
 * transaction takes back what was to last no longer.  PGC_INTERNAL keeps it from
 * parallel workers, where its name would be refused, and from RESET ALL; the
 * reset source keeps it from a reload, which would miss it in the file.
 */
static void
hide(HiddenSetting *hidden, struct config_generic *setting)
{
	hidden->setting = setting;
	hidden->initial = setting->name[0];
	hidden->context = setting->context;
	hidden->reset_source = setting->reset_source;
	hidden->flags = setting->flags;

	setting->context = PGC_INTERNAL;
	setting->reset_source = PGC_S_DEFAULT;
	setting->flags |= GUC_NO_SHOW_ALL;
	dbkit_set_initial(setting, HIDDEN_INITIAL);
}

static void
reveal(HiddenSetting *hidden)
{
	struct config_generic *setting = hidden->setting;

	setting->context = hidden->context;
	setting->reset_source = hidden->reset_source;
	setting->flags = hidden->flags;
	dbkit_set_initial(setting, hidden->initial);
	hidden->setting = NULL;
}

/* Accept nothing but the empty string, which has no effect */
static bool
check_mirror(char **newval, void **extra pg_attribute_unused(),
			 GucSource source pg_attribute_unused())
{
	if ((*newval)[0] == '\0')
		return true;

	GUC_check_errcode(ERRCODE_INSUFFICIENT_PRIVILEGE);
	GUC_check_errmsg("the tenant context cannot be changed with a setting");
	GUC_check_errdetail("The settings \"%s\" and \"%s\" show what dbkit.enter was given.",
						mirrors[0].name, mirrors[1].name);
	GUC_check_errhint("Call dbkit.enter(user_id, organization_id) inside the transaction.");
	return false;
}

/*
 * Define dbkit's own setting under the name.  A value that the application has
 * there is dropped, with a warning (define_custom_variable in guc.c).
 */
static void
define(Mirror *mirror)
{
	DefineCustomStringVariable(mirror->name,
							   "Shows the tenant context that dbkit.enter was given.",
							   NULL,
							   &mirror->value,
							   "",
							   PGC_USERSET,
							   GUC_DISALLOW_IN_FILE | GUC_NO_RESET_ALL | GUC_NOT_IN_SAMPLE | DBKIT_SETTING,
							   check_mirror, NULL, mirror->show);
	mirror->own = dbkit_find_option(mirror->name);
	mirror->own_hidden.setting = NULL;
}

/* Return what has the name at this time, if it is the application's, or NULL */
static struct config_generic *
find_application(Mirror *mirror)
{
	struct config_generic *setting = dbkit_find_option(mirror->name);

	if (setting != NULL && !(setting->flags & GUC_CUSTOM_PLACEHOLDER))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("parameter \"%s\" cannot show the tenant context", mirror->name),
				 errdetail("It belongs to PostgreSQL or to another library."),
				 errhint("Choose another name with dbkit.user_setting or dbkit.organization_setting in postgresql.conf.")));
	return setting;
}

/* Give dbkit's own setting the name, and hide what the application has there */
static void
take(Mirror *mirror)
{
	struct config_generic *application = find_application(mirror);

	mirror->taken = true;
	if (application != NULL)
		hide(&mirror->application, application);
	if (mirror->own_hidden.setting != NULL)
		reveal(&mirror->own_hidden);
	else
		define(mirror);
}

/* Give the name back */
static void
give_back(Mirror *mirror)
{
	if (mirror->own != NULL)
		hide(&mirror->own_hidden, mirror->own);
	if (mirror->application.setting != NULL)
		reveal(&mirror->application);
	mirror->taken = false;
}

/* Have the settings show the context */
void
dbkit_take_mirrors(void)
{
	for (int i = 0; i < (int) lengthof(mirrors); i++)
		if (mirrors[i].name[0] != '\0' && !mirrors[i].taken)
			take(&mirrors[i]);
}

/* Leave the settings to the application again, unless they are reserved; cannot fail */
void
dbkit_return_mirrors(void)
{
	for (int i = 0; i < (int) lengthof(mirrors); i++)
		if (mirrors[i].taken && !reserved)
			give_back(&mirrors[i]);
}

/* Keep the settings from the application, and drop what it has there */
static void
reserve_mirrors(void)
{
	for (int i = 0; i < (int) lengthof(mirrors); i++)
	{
		if (mirrors[i].name[0] == '\0' || mirrors[i].taken)
			continue;
		if (find_application(&mirrors[i]) == NULL)
			take(&mirrors[i]);
		else
		{
			define(&mirrors[i]);
			mirrors[i].taken = true;
		}
	}
}

/*
 * Reserve the settings, or no longer, as the agreement has it now.
 *
 * This is for the start of a statement: the agreement is in the catalogs, which
 * can be read in a transaction only, and not where a setting is assigned.
 */
void
dbkit_follow_reservation(bool entered)
{
	if (!IsTransactionState() || is_reserved() == reserved)
		return;
	if (!reserved)
		reserve_mirrors();
	reserved = !reserved;
	if (!entered)
		dbkit_return_mirrors();
}

/* Ensure a name of two or more identifiers with dots between, or nothing */
static bool
check_mirror_name(char **newval, void **extra pg_attribute_unused(),
				  GucSource source pg_attribute_unused())
{
	int			parts = 1;
	bool		at_start = true;

	if ((*newval)[0] == '\0')
		return true;
	for (const char *c = *newval; *c; c++)
	{
		bool		letter = isalpha((unsigned char) *c) || *c == '_' || IS_HIGHBIT_SET(*c);

		if (*c == '.' && !at_start)
			parts++;
		else if (!letter && (at_start || !(isdigit((unsigned char) *c) || *c == '$')))
			return false;
		at_start = (*c == '.');
	}
	return parts > 1 && !at_start;
}

static void
define_name(Mirror *mirror, const char *name, const char *description, const char *value)
{
	GucContext	when = process_shared_preload_libraries_in_progress ?
	PGC_POSTMASTER : PGC_SIGHUP;

	DefineCustomStringVariable(name, description, "Empty for none.",
							   &mirror->name_setting,
							   value,
							   when, DBKIT_SETTING,
							   check_mirror_name, NULL, NULL);

	/* A reload may change it, for new sessions */
	mirror->name = MemoryContextStrdup(TopMemoryContext, mirror->name_setting);
}

void
dbkit_mirror_init(GucShowHook show_user, GucShowHook show_organization,
				  dbkit_reservation reservation)
{
	define_name(&mirrors[0], "dbkit.user_setting",
				"Name of the setting that shows the tenant context's user.", "app.user_id");
	define_name(&mirrors[1], "dbkit.organization_setting",
				"Name of the setting that shows the tenant context's organization.", "app.organization_id");
	mirrors[0].show = show_user;
	mirrors[1].show = show_organization;
	is_reserved = reservation;
}
