/*-------------------------------------------------------------------------
 *
 * files.h
 *		The tables of rules, one for each file of this folder.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_FILES_H
#define DBKIT_FILES_H

#include "convention/findings.h"

/* Each ends with a row that has no id */
extern Rule dbkit_id_rules[];
extern Rule dbkit_column_rules[];
extern Rule dbkit_name_rules[];
extern Rule dbkit_object_rules[];
extern Rule dbkit_foreign_key_rules[];
extern Rule dbkit_tenant_rules[];
extern Rule dbkit_index_rules[];
extern Rule dbkit_security_rules[];
extern Rule dbkit_size_limit_rules[];
extern Rule dbkit_lock_rules[];

#endif							/* DBKIT_FILES_H */
