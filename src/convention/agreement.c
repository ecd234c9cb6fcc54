/*-------------------------------------------------------------------------
 *
 * agreement.c
 *		What the team has agreed on: how its schema is to look.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common.h"
#include "convention/agreement.h"

/* Return the agreement of the database; it is there until the next command. */
const		Agreement *
dbkit_agreement(void)
{
	static Agreement agreement =
	{
		.preset = "house",
			.id_style = ID_PREFIXED,
			.customer_role = "customer",
			.reserve_settings = true
	};

	return &agreement;
}
