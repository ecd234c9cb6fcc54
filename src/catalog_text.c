/*-------------------------------------------------------------------------
 *
 * catalog_text.c
 *		Have what PostgreSQL writes of catalogs be the same in every session.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"

#include "common.h"
#include "catalog_text.h"

/* What changes how values and names are written, and how SQL is read */
static const struct
{
	const char *name;
	const char *value;
}			settings[] = {
	{"array_nulls", "on"},
	{"bytea_output", "hex"},
	{"DateStyle", "ISO, YMD"},
	{"extra_float_digits", "1"},
	{"IntervalStyle", "postgres"},
	{"quote_all_identifiers", "off"},
	{"standard_conforming_strings", "on"},
	{"TimeZone", "UTC"},
	{"transform_null_equals", "off"},
};

static void
set(const char *name, const char *value)
{
	(void) set_config_option(name, value, PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
}

/* Have SQL mean the same whatever the session's settings are, until the end of this level of settings. */
void
dbkit_forget_text_settings(void)
{
	for (size_t i = 0; i < lengthof(settings); i++)
		set(settings[i].name, settings[i].value);
}

/*
 * Begin to read, as the caller and in a security-restricted operation, which dbkit_end_as_owner() ends.
 * Names are written without their schema if it is one of the visible ones; the SQL that reads names every schema.
 */
void
dbkit_begin_catalog_text(const char *visible_schemas, AsOwner *saved)
{
	dbkit_begin_as_owner(GetUserId(), 0, saved);
	set("search_path", visible_schemas);
	dbkit_forget_text_settings();
}
