/*-------------------------------------------------------------------------
 *
 * catalog_text.h
 *		Have what PostgreSQL writes of catalogs be the same in every session.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_CATALOG_TEXT_H
#define DBKIT_CATALOG_TEXT_H

#include "as_owner.h"

extern void dbkit_forget_text_settings(void);
extern void dbkit_begin_catalog_text(const char *visible_schemas, AsOwner *saved);

#endif							/* DBKIT_CATALOG_TEXT_H */
