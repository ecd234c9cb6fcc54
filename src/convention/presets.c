/*-------------------------------------------------------------------------
 *
 * presets.c
 *		Agreements to start from.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "convention/presets.h"

const char	dbkit_agreement_defaults[] =
"{\"preset\": \"" DBKIT_DEFAULT_PRESET "\","
" \"id_style\": \"prefixed\","
" \"composite_keys\": false,"
" \"created_at_columns\": [\"created_at\"],"
" \"updated_at_columns\": [\"updated_at\"],"
" \"updated_at_functions\": [],"
" \"id_suffixes\": [\"_id\"],"
" \"extid_suffixes\": [\"_extid\"],"
" \"user_tables\": [\"users\"],"
" \"organization_tables\": [\"organizations\"],"
" \"user_columns\": [\"user_id\"],"
" \"organization_columns\": [\"organization_id\"],"
" \"customer_role\": \"customer\","
" \"admin_role\": null,"
" \"reserve_settings\": false,"
" \"rules\": {},"
" \"own_rules\": {},"
" \"schemas\": {},"
" \"exemptions\": [],"
" \"baseline\": {}}";

/* What most teams do that have tables already: every rule that is about one house's taste is off */
#define NO_TASTE \
"\"storytime\": \"off\", \"extid\": \"off\", \"enum_type\": \"off\", \"enum_table\": \"off\"," \
" \"rls_enabled\": \"off\", \"rls_policy\": \"off\""

/* And what their ORM does instead of the database: times, triggers, ON DELETE */
#define ORM \
NO_TASTE ", \"bigint\": \"off\", \"created_at\": \"off\", \"updated_at\": \"off\"," \
" \"updated_at_trigger\": \"off\", \"fk_on_delete\": \"off\", \"view_security_invoker\": \"warning\""

/* What each preset differs in from the defaults */
static const struct
{
	const char *name;
	const char *json;
}			presets[] = {
	{DBKIT_DEFAULT_PRESET, "{\"reserve_settings\": true}"},
	{"uuid",
		"{\"id_style\": \"uuid\", \"composite_keys\": true,"
		" \"rules\": {\"storytime\": \"off\"}}"
	},
	{"bigint",
		"{\"id_style\": \"bigint\", \"composite_keys\": true,"
		" \"rules\": {\"storytime\": \"off\"}}"
	},
	{"rails",
		/* timestamp(6) without a default, and string columns like session_id */
		"{\"id_style\": \"bigint\", \"composite_keys\": true,"
		" \"rules\": {" ORM ", \"timestamptz\": \"off\", \"text_id\": \"warning\"}}"
	},
	{"django",

		/*
		 * auth_user has an integer id, django_session none; object_id of any
		 * type references any table
		 */
		"{\"id_style\": \"bigint\", \"composite_keys\": true, \"user_tables\": [\"auth_user\"],"
		" \"rules\": {" ORM ", \"primary_key\": \"warning\", \"text_id\": \"warning\"}}"
	},
	{"minimal",
		"{\"id_style\": \"any\", \"composite_keys\": true,"
		" \"rules\": {\"*\": \"off\", \"primary_key\": \"error\", \"timestamptz\": \"error\","
		" \"fk_index\": \"error\", \"invalid_index\": \"warning\"}}"
	},
	{DBKIT_NO_PRESET, "{\"rules\": {\"*\": \"off\"}}"},
};

/* Return what the preset of that name differs in from the defaults, as JSON, or NULL. */
const char *
dbkit_preset(const char *name)
{
	for (size_t i = 0; i < lengthof(presets); i++)
	{
		if (strcmp(presets[i].name, name) == 0)
			return presets[i].json;
	}
	return NULL;
}

/* Return the name of a preset, or NULL after the last one. */
const char *
dbkit_preset_name(int number)
{
	return number < (int) lengthof(presets) ? presets[number].name : NULL;
}
