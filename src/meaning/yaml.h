/*-------------------------------------------------------------------------
 *
 * yaml.h
 *		Write strings as YAML.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_YAML_H
#define DBKIT_YAML_H

#include "lib/stringinfo.h"

extern void dbkit_append_yaml_key(StringInfo out, const char *string);
extern void dbkit_append_yaml_value(StringInfo out, const char *string, int indent);

#endif							/* DBKIT_YAML_H */
