/*-------------------------------------------------------------------------
 *
 * documented.h
 *		Which relations annotations and descriptions are about, and their names there.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_DOCUMENTED_H
#define DBKIT_DOCUMENTED_H

#define IS_MEMBER(catalog, object) \
	"EXISTS (SELECT FROM pg_catalog.pg_depend e WHERE e.classid OPERATOR(pg_catalog.=) 'pg_catalog." catalog "'::pg_catalog.regclass " \
	"AND e.objid OPERATOR(pg_catalog.=) " object " AND e.deptype OPERATOR(pg_catalog.=) 'e'::pg_catalog.\"char\")"

/*
 * The condition for an object of a catalog in a schema of the alias n: $1 is the only schema, or NULL
 * for all but those of the system and of extensions.  What belongs to an extension is documented with the
 * extension's own schema alone.
 */
#define IS_DOCUMENTED(catalog, object) \
	"CASE WHEN $1 IS NULL THEN n.nspname OPERATOR(pg_catalog.!~) '^pg_'::pg_catalog.text " \
	"AND n.nspname OPERATOR(pg_catalog.<>) 'information_schema'::pg_catalog.name AND NOT " IS_MEMBER("pg_namespace", "n.oid") \
	" ELSE n.oid OPERATOR(pg_catalog.=) $1 END AND (NOT " IS_MEMBER(catalog, object) " OR " IS_MEMBER("pg_namespace", "n.oid") ")"

/* The condition for a relation of the alias c: tables and views; a partition has what its root has */
#define IS_DOCUMENTED_RELATION \
	"c.relkind OPERATOR(pg_catalog.=) ANY ('{r,p,v,m,f}'::pg_catalog.\"char\"[]) AND NOT c.relispartition AND " IS_DOCUMENTED("pg_class", "c.oid")

/* The schema whose objects are named without it, comes first */
#define BY_SCHEMA "n.nspname OPERATOR(pg_catalog.<>) 'public'::pg_catalog.name, n.nspname"

#define UNQUALIFIED_SCHEMA "public"

extern char *dbkit_documented_identifier(const char *name);
extern char *dbkit_documented_name(const char *schema, const char *name);

#endif							/* DBKIT_DOCUMENTED_H */
