/*-------------------------------------------------------------------------
 *
 * presets.h
 *		Agreements to start from.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_PRESETS_H
#define DBKIT_PRESETS_H

/* The preset of a database that has agreed on nothing else */
#define DBKIT_DEFAULT_PRESET	"house"

/* The preset under which nothing is judged */
#define DBKIT_NO_PRESET			"none"

/* What holds unless a preset or the agreement says otherwise */
extern const char dbkit_agreement_defaults[];

extern const char *dbkit_preset(const char *name);
extern const char *dbkit_preset_name(int number);

#endif							/* DBKIT_PRESETS_H */
