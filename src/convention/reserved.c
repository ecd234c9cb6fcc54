/*-------------------------------------------------------------------------
 *
 * reserved.c
 *		Whether the agreement reserves the settings of the tenant context.
 *
 * Each statement asks, so the answer is kept until a function changes: the
 * agreement is one, and the extension comes and goes with its functions.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "commands/extension.h"
#include "utils/inval.h"
#include "utils/syscache.h"

#include "cluster.h"
#include "common.h"
#include "convention/agreement.h"
#include "convention/reserved.h"

static bool known = false;
static bool reserved = false;

/* Counts how often functions, or who is trusted with them, have changed */
static uint64 changes = 0;

/*
 * Does this database's agreement reserve the settings?  It is read in a
 * transaction only, and where dbkit is not installed there is none.  Where another server
 * of a cluster opened the connection, they are reserved: what a tenant's query calls there
 * could set them, with no context in the way.
 */
bool
dbkit_settings_are_reserved(void)
{
	if (!known)
	{
		uint64		before = changes;

		reserved = OidIsValid(MyDatabaseId) && OidIsValid(get_extension_oid("dbkit", true));
		if (reserved)
		{
			dbkit_refresh_agreement();
			reserved = dbkit_agreement()->reserve_settings || dbkit_is_cluster_connection();
		}
		known = changes == before;
	}
	return reserved;
}

static void
forget_reserved(Datum arg pg_attribute_unused(), int cacheid pg_attribute_unused(),
				uint32 hashvalue pg_attribute_unused())
{
	changes++;
	known = false;
}

/* Watch what the agreement is read from, as dbkit_agreement_init() does. */
void
dbkit_reserved_init(void)
{
	CacheRegisterSyscacheCallback(PROCOID, forget_reserved, (Datum) 0);
	CacheRegisterSyscacheCallback(AUTHOID, forget_reserved, (Datum) 0);
	CacheRegisterSyscacheCallback(DATABASEOID, forget_reserved, (Datum) 0);
}
