/*-------------------------------------------------------------------------
 *
 * fingerprint.c
 *		Tell whether two databases have the same schema: dbkit.fingerprint().
 *
 * Each object is a line of its name and its facts.  The lines are sorted and hashed, so neither OIDs
 * nor the order of creation count.  What PostgreSQL writes out of a tree, such as a view or a CHECK,
 * it spells differently from version to version: that is a second line, and a second hash.
 *
 * The catalogs are read, and trees are only written out: nothing of anybody's runs.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_cast.h"
#include "catalog/pg_class.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_conversion.h"
#include "catalog/pg_event_trigger.h"
#include "catalog/pg_extension.h"
#include "catalog/pg_foreign_data_wrapper.h"
#include "catalog/pg_foreign_server.h"
#include "catalog/pg_language.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_opclass.h"
#include "catalog/pg_operator.h"
#include "catalog/pg_opfamily.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_publication.h"
#include "catalog/pg_statistic_ext.h"
#include "catalog/pg_ts_config.h"
#include "catalog/pg_ts_dict.h"
#include "catalog/pg_type.h"
#include "commands/extension.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "common.h"
#include "catalog_text.h"
#include "ledger/sha256.h"

#define FINGERPRINT_DIGITS	32

/*
 * A query for one kind of objects.  It gives an object of "catalog", of which those that belong to an
 * extension are left out, what all versions of PostgreSQL say of it, and what each spells in its own way
 * (or NULL).  $1 are the schemas that count.
 */
typedef struct Aspect
{
	const char *name;
	Oid			catalog;
	const char *sql;
} Aspect;

/* How a list of lines is named in the log */
typedef struct Lines
{
	const char *name;
	List	   *lines;			/* char * */
} Lines;

/*
 * Privileges by name, apart from those that an owner has by default: owners may differ.  Sorted as text: JSON compares its
 * strings by the collation of the database.
 */
#define PRIVILEGES(acl, kind, owner) \
	"(SELECT pg_catalog.jsonb_agg(g.line ORDER BY g.line::pg_catalog.text COLLATE pg_catalog.\"C\") FROM (" \
	"SELECT pg_catalog.jsonb_build_array(CASE WHEN x.grantee OPERATOR(pg_catalog.=) 0::pg_catalog.oid THEN ''::pg_catalog.text " \
	"ELSE pg_catalog.pg_get_userbyid(x.grantee)::pg_catalog.text END, x.privilege_type, x.is_grantable) AS line " \
	"FROM pg_catalog.aclexplode(COALESCE(" acl ", pg_catalog.acldefault(" kind "::pg_catalog.\"char\", " owner "))) x " \
	"WHERE x.grantee OPERATOR(pg_catalog.<>) " owner \
	" UNION SELECT pg_catalog.jsonb_build_array(d.privilege_type, 'revoked'::pg_catalog.text) " \
	"FROM pg_catalog.aclexplode(pg_catalog.acldefault(" kind "::pg_catalog.\"char\", " owner ")) d " \
	"WHERE " acl " IS NOT NULL AND d.grantee OPERATOR(pg_catalog.=) " owner " AND NOT EXISTS (" \
	"SELECT FROM pg_catalog.aclexplode(" acl ") h WHERE h.grantee OPERATOR(pg_catalog.=) d.grantee " \
	"AND h.privilege_type OPERATOR(pg_catalog.=) d.privilege_type)) g)"

#define SORTED(list)	"ARRAY(SELECT o FROM pg_catalog.unnest(" list ") o ORDER BY o)"
#define COLUMN_NAMES(numbers, relation) \
	"ARRAY(SELECT n.attname FROM pg_catalog.unnest(" numbers ") WITH ORDINALITY AS k(number, place) " \
	"JOIN pg_catalog.pg_attribute n ON n.attrelid OPERATOR(pg_catalog.=) " relation " AND n.attnum OPERATOR(pg_catalog.=) k.number ORDER BY k.place)"
#define IDENTITY(catalog, oid) \
	"(pg_catalog.pg_identify_object('pg_catalog." catalog "'::pg_catalog.regclass, " oid ", 0)).identity"
#define IS_ONE_OF(expression, letters)	expression " OPERATOR(pg_catalog.=) ANY ('{" letters "}'::pg_catalog.\"char\"[])"
#define IN_SCHEMAS(schema)	schema " OPERATOR(pg_catalog.=) ANY ($1)"
#define IS_OURS(oid)	oid " OPERATOR(pg_catalog.>=) 16384::pg_catalog.oid"

static const Aspect aspects[] = {
	{"schema", NamespaceRelationId,
		"SELECT n.oid, pg_catalog.jsonb_build_array(n.nspname, pg_catalog.obj_description(n.oid, 'pg_namespace'::pg_catalog.name), "
		PRIVILEGES("n.nspacl", "'n'", "n.nspowner") "), NULL "
	"FROM pg_catalog.pg_namespace n WHERE " IN_SCHEMAS("n.oid")},

	{"relation", RelationRelationId,
		"SELECT c.oid, pg_catalog.jsonb_build_array(c.oid::pg_catalog.regclass, c.relkind, c.relpersistence, c.relrowsecurity, c.relforcerowsecurity, "
		"c.relreplident, " SORTED("c.reloptions") ", (SELECT " SORTED("t.reloptions") " FROM pg_catalog.pg_class t "
		"WHERE t.oid OPERATOR(pg_catalog.=) c.reltoastrelid AND t.reloptions IS NOT NULL), "
		"CASE WHEN c.reloftype OPERATOR(pg_catalog.<>) 0::pg_catalog.oid THEN c.reloftype::pg_catalog.regtype END, "
		"(SELECT a.amname FROM pg_catalog.pg_am a WHERE a.oid OPERATOR(pg_catalog.=) c.relam), "
		"(SELECT pg_catalog.jsonb_agg(i.inhparent::pg_catalog.regclass ORDER BY i.inhseqno) FROM pg_catalog.pg_inherits i "
		"WHERE i.inhrelid OPERATOR(pg_catalog.=) c.oid), c.relispartition, "
		"(SELECT pg_catalog.jsonb_build_array(s.srvname, " SORTED("f.ftoptions") ") FROM pg_catalog.pg_foreign_table f "
		"JOIN pg_catalog.pg_foreign_server s ON s.oid OPERATOR(pg_catalog.=) f.ftserver WHERE f.ftrelid OPERATOR(pg_catalog.=) c.oid), "
		"pg_catalog.obj_description(c.oid, 'pg_class'::pg_catalog.name), " PRIVILEGES("c.relacl", "'r'", "c.relowner") "), "
		"pg_catalog.jsonb_build_array(pg_catalog.pg_get_viewdef(c.oid), pg_catalog.pg_get_partkeydef(c.oid), pg_catalog.pg_get_expr(c.relpartbound, c.oid)) "
	"FROM pg_catalog.pg_class c WHERE " IN_SCHEMAS("c.relnamespace") " AND " IS_ONE_OF("c.relkind", "r,p,v,m,f")},

	/*
	 * By name: the place of a column counts in composite types alone.  Later
	 * minor versions note there how often a column was changed (pg_attver).
	 */
	{"column", RelationRelationId,
		"SELECT c.oid, pg_catalog.jsonb_build_array(c.oid::pg_catalog.regclass, a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod), "
		"CASE WHEN a.attcollation OPERATOR(pg_catalog.<>) t.typcollation THEN a.attcollation::pg_catalog.regcollation END, a.attnotnull, "
		"CASE WHEN NOT c.relispartition THEN a.attidentity END, a.attgenerated, a.atthasdef, a.attstorage, a.attcompression, "
		"CASE WHEN a.attstattarget OPERATOR(pg_catalog.>=) 0 THEN a.attstattarget END, "
		"ARRAY(SELECT o FROM pg_catalog.unnest(a.attoptions) o WHERE o OPERATOR(pg_catalog.!~) '^pg_attver='::pg_catalog.text ORDER BY o), " SORTED("a.attfdwoptions") ", "
		"CASE WHEN " IS_ONE_OF("c.relkind", "c") " THEN pg_catalog.row_number() OVER (PARTITION BY a.attrelid ORDER BY a.attnum) END, "
		"pg_catalog.col_description(c.oid, a.attnum), " PRIVILEGES("a.attacl", "'c'", "c.relowner") "), "
		"(SELECT pg_catalog.jsonb_build_array(pg_catalog.pg_get_expr(d.adbin, d.adrelid)) FROM pg_catalog.pg_attrdef d "
		"WHERE d.adrelid OPERATOR(pg_catalog.=) a.attrelid AND d.adnum OPERATOR(pg_catalog.=) a.attnum) "
		"FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) a.attrelid "
		"JOIN pg_catalog.pg_type t ON t.oid OPERATOR(pg_catalog.=) a.atttypid WHERE " IN_SCHEMAS("c.relnamespace")
	" AND " IS_ONE_OF("c.relkind", "r,p,v,m,f,c") " AND a.attnum OPERATOR(pg_catalog.>) 0 AND NOT a.attisdropped"},

	/*
	 * A partition has foreign keys from its parent, under names that depend
	 * on their order. NOT NULL is a fact of the column, but where it is not
	 * what it says.
	 */
	{"constraint", RelationRelationId,
		"SELECT c.conrelid, pg_catalog.jsonb_build_array(c.conrelid::pg_catalog.regclass, CASE WHEN NOT " IS_ONE_OF("c.contype", "n") " THEN c.conname END, "
		"c.contype, CASE WHEN " IS_ONE_OF("c.contype", "p,u,f") " THEN pg_catalog.pg_get_constraintdef(c.oid) "
		"ELSE pg_catalog.concat(c.convalidated, c.connoinherit) END, pg_catalog.obj_description(c.oid, 'pg_constraint'::pg_catalog.name)), "
		"CASE WHEN NOT " IS_ONE_OF("c.contype", "p,u,f") " THEN pg_catalog.jsonb_build_array(pg_catalog.pg_get_constraintdef(c.oid)) END "
		"FROM pg_catalog.pg_constraint c JOIN pg_catalog.pg_class r ON r.oid OPERATOR(pg_catalog.=) c.conrelid "
		"WHERE " IN_SCHEMAS("r.relnamespace") " AND (" IS_ONE_OF("c.contype", "p,u,c,x") " OR " IS_ONE_OF("c.contype", "f")
		" AND c.conparentid OPERATOR(pg_catalog.=) 0::pg_catalog.oid OR " IS_ONE_OF("c.contype", "n") " AND (NOT c.convalidated OR c.connoinherit "
	"OR pg_catalog.obj_description(c.oid, 'pg_constraint'::pg_catalog.name) IS NOT NULL))"},

	{"index", RelationRelationId,
		"SELECT i.indrelid, pg_catalog.jsonb_build_array(i.indexrelid::pg_catalog.regclass, i.indrelid::pg_catalog.regclass, i.indisvalid, i.indisclustered, "
		"i.indisreplident, CASE WHEN i.indexprs IS NULL AND i.indpred IS NULL THEN pg_catalog.pg_get_indexdef(i.indexrelid) END, "
		"(SELECT pg_catalog.jsonb_agg(h.inhparent::pg_catalog.regclass) FROM pg_catalog.pg_inherits h WHERE h.inhrelid OPERATOR(pg_catalog.=) i.indexrelid), "
		"pg_catalog.obj_description(i.indexrelid, 'pg_class'::pg_catalog.name)), "
		"CASE WHEN i.indexprs IS NOT NULL OR i.indpred IS NOT NULL THEN pg_catalog.jsonb_build_array(pg_catalog.pg_get_indexdef(i.indexrelid)) END "
		"FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) i.indexrelid "
	"WHERE " IN_SCHEMAS("c.relnamespace")},

	{"sequence", RelationRelationId,
		"SELECT c.oid, pg_catalog.jsonb_build_array(c.oid::pg_catalog.regclass, s.seqtypid::pg_catalog.regtype, s.seqstart, s.seqincrement, s.seqmax, s.seqmin, "
		"s.seqcache, s.seqcycle, c.relpersistence, (SELECT pg_catalog.jsonb_build_array(d.refobjid::pg_catalog.regclass, a.attname, d.deptype) "
		"FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_attribute a ON a.attrelid OPERATOR(pg_catalog.=) d.refobjid AND a.attnum OPERATOR(pg_catalog.=) d.refobjsubid "
		"WHERE d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid OPERATOR(pg_catalog.=) c.oid "
		"AND d.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass AND " IS_ONE_OF("d.deptype", "a,i") "), "
		"pg_catalog.obj_description(c.oid, 'pg_class'::pg_catalog.name), " PRIVILEGES("c.relacl", "'s'", "c.relowner") "), NULL "
		"FROM pg_catalog.pg_sequence s JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) s.seqrelid "
	"WHERE " IN_SCHEMAS("c.relnamespace")},

	{"function", ProcedureRelationId,
		"SELECT p.oid, pg_catalog.jsonb_build_array(p.oid::pg_catalog.regprocedure, p.prokind, p.proargnames, p.proargmodes, "
		"p.proallargtypes::pg_catalog.regtype[], pg_catalog.format_type(p.prorettype, NULL), p.proretset, p.provariadic::pg_catalog.regtype, l.lanname, "
		"p.prosrc, p.probin, p.provolatile, p.proisstrict, p.proparallel, p.prosecdef, p.proleakproof, p.procost, p.prorows, p.proconfig, "
		"p.prosupport, pg_catalog.obj_description(p.oid, 'pg_proc'::pg_catalog.name), " PRIVILEGES("p.proacl", "'f'", "p.proowner") "), "
		"pg_catalog.jsonb_build_array(pg_catalog.pg_get_function_arguments(p.oid), pg_catalog.pg_get_function_sqlbody(p.oid)) "
		"FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_language l ON l.oid OPERATOR(pg_catalog.=) p.prolang "
	"WHERE " IN_SCHEMAS("p.pronamespace")},

	{"aggregate", ProcedureRelationId,
		"SELECT p.oid, pg_catalog.jsonb_build_array(p.oid::pg_catalog.regprocedure, a.aggkind, a.aggnumdirectargs, a.aggtransfn, a.aggfinalfn, a.aggcombinefn, "
		"a.aggserialfn, a.aggdeserialfn, a.aggmtransfn, a.aggminvtransfn, a.aggmfinalfn, a.aggfinalextra, a.aggmfinalextra, a.aggfinalmodify, "
		"a.aggmfinalmodify, a.aggsortop::pg_catalog.regoperator, a.aggtranstype::pg_catalog.regtype, a.aggtransspace, a.aggmtranstype::pg_catalog.regtype, "
		"a.aggmtransspace, a.agginitval, a.aggminitval), NULL "
		"FROM pg_catalog.pg_aggregate a JOIN pg_catalog.pg_proc p ON p.oid OPERATOR(pg_catalog.=) a.aggfnoid::pg_catalog.oid "
	"WHERE " IN_SCHEMAS("p.pronamespace")},

	{"type", TypeRelationId,
		"SELECT t.oid, pg_catalog.jsonb_build_array(t.oid::pg_catalog.regtype, t.typtype, t.typnotnull, pg_catalog.format_type(t.typbasetype, t.typtypmod), "
		"t.typcollation::pg_catalog.regcollation, (SELECT pg_catalog.jsonb_agg(e.enumlabel ORDER BY e.enumsortorder) FROM pg_catalog.pg_enum e "
		"WHERE e.enumtypid OPERATOR(pg_catalog.=) t.oid), (SELECT pg_catalog.jsonb_build_array(r.rngsubtype::pg_catalog.regtype, "
		"r.rngmultitypid::pg_catalog.regtype, r.rngcollation::pg_catalog.regcollation, " IDENTITY("pg_opclass", "r.rngsubopc") ", r.rngcanonical, r.rngsubdiff) "
		"FROM pg_catalog.pg_range r WHERE r.rngtypid OPERATOR(pg_catalog.=) t.oid), t.typlen, t.typbyval, t.typcategory, t.typispreferred, t.typdelim, "
		"t.typinput, t.typoutput, t.typreceive, t.typsend, t.typmodin, t.typmodout, t.typanalyze, t.typsubscript, t.typalign, t.typstorage, "
		"pg_catalog.obj_description(t.oid, 'pg_type'::pg_catalog.name), " PRIVILEGES("t.typacl", "'T'", "t.typowner") "), "
		"pg_catalog.jsonb_build_array(t.typdefault) "
		"FROM pg_catalog.pg_type t LEFT JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) t.typrelid WHERE " IN_SCHEMAS("t.typnamespace")
	" AND (" IS_ONE_OF("t.typtype", "b,d,e,r") " AND NOT " IS_ONE_OF("t.typcategory", "A") " OR " IS_ONE_OF("c.relkind", "c") ")"},

	{"constraint of a domain", TypeRelationId,
		"SELECT t.oid, pg_catalog.jsonb_build_array(t.oid::pg_catalog.regtype, c.conname, c.convalidated, pg_catalog.obj_description(c.oid, 'pg_constraint'::pg_catalog.name)), "
		"pg_catalog.jsonb_build_array(pg_catalog.pg_get_constraintdef(c.oid)) "
		"FROM pg_catalog.pg_constraint c JOIN pg_catalog.pg_type t ON t.oid OPERATOR(pg_catalog.=) c.contypid "
	"WHERE " IN_SCHEMAS("t.typnamespace") " AND " IS_ONE_OF("c.contype", "c")},

	{"trigger", RelationRelationId,
		"SELECT t.tgrelid, pg_catalog.jsonb_build_array(t.tgrelid::pg_catalog.regclass, t.tgname, t.tgenabled, t.tgtype, t.tgfoid::pg_catalog.regprocedure, "
		"t.tgdeferrable, t.tginitdeferred, t.tgargs, " COLUMN_NAMES("t.tgattr", "t.tgrelid") ", t.tgoldtable, t.tgnewtable, "
		"t.tgconstrrelid::pg_catalog.regclass, pg_catalog.obj_description(t.oid, 'pg_trigger'::pg_catalog.name)), "
		"CASE WHEN t.tgqual IS NOT NULL THEN pg_catalog.jsonb_build_array(pg_catalog.pg_get_triggerdef(t.oid)) END "
		"FROM pg_catalog.pg_trigger t JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) t.tgrelid "
	"WHERE " IN_SCHEMAS("c.relnamespace") " AND NOT t.tgisinternal"},

	{"policy", RelationRelationId,
		"SELECT p.polrelid, pg_catalog.jsonb_build_array(p.polrelid::pg_catalog.regclass, p.polname, p.polcmd, p.polpermissive, "
		"ARRAY(SELECT pg_catalog.pg_get_userbyid(r) AS name FROM pg_catalog.unnest(p.polroles) r WHERE r OPERATOR(pg_catalog.<>) 0::pg_catalog.oid ORDER BY name), "
		"p.polqual IS NULL, p.polwithcheck IS NULL, pg_catalog.obj_description(p.oid, 'pg_policy'::pg_catalog.name)), "
		"pg_catalog.jsonb_build_array(pg_catalog.pg_get_expr(p.polqual, p.polrelid), pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid)) "
		"FROM pg_catalog.pg_policy p JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) p.polrelid "
	"WHERE " IN_SCHEMAS("c.relnamespace")},

	{"rule", RelationRelationId,
		"SELECT r.ev_class, pg_catalog.jsonb_build_array(r.ev_class::pg_catalog.regclass, r.rulename, r.ev_type, r.ev_enabled, r.is_instead, "
		"pg_catalog.obj_description(r.oid, 'pg_rewrite'::pg_catalog.name)), pg_catalog.jsonb_build_array(pg_catalog.pg_get_ruledef(r.oid)) "
		"FROM pg_catalog.pg_rewrite r JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) r.ev_class "
	"WHERE " IN_SCHEMAS("c.relnamespace") " AND r.rulename OPERATOR(pg_catalog.<>) '_RETURN'::pg_catalog.name"},

	{"statistics", StatisticExtRelationId,
		"SELECT s.oid, pg_catalog.jsonb_build_array(" IDENTITY("pg_statistic_ext", "s.oid") ", s.stxrelid::pg_catalog.regclass, " SORTED("s.stxkind") ", "
		COLUMN_NAMES("s.stxkeys", "s.stxrelid") ", CASE WHEN s.stxstattarget OPERATOR(pg_catalog.>=) 0 THEN s.stxstattarget END, "
		"pg_catalog.obj_description(s.oid, 'pg_statistic_ext'::pg_catalog.name)), pg_catalog.jsonb_build_array(pg_catalog.pg_get_statisticsobjdef(s.oid)) "
	"FROM pg_catalog.pg_statistic_ext s WHERE " IN_SCHEMAS("s.stxnamespace")},

	{"event trigger", EventTriggerRelationId,
		"SELECT e.oid, pg_catalog.jsonb_build_array(e.evtname, e.evtevent, e.evtfoid::pg_catalog.regprocedure, e.evtenabled, " SORTED("e.evttags") ", "
	"pg_catalog.obj_description(e.oid, 'pg_event_trigger'::pg_catalog.name)), NULL FROM pg_catalog.pg_event_trigger e"},

	{"extension", ExtensionRelationId,
		"SELECT e.oid, pg_catalog.jsonb_build_array(e.extname, e.extnamespace::pg_catalog.regnamespace), NULL FROM pg_catalog.pg_extension e "
	"WHERE " IS_OURS("e.oid")},

	{"operator", OperatorRelationId,
		"SELECT o.oid, pg_catalog.jsonb_build_array(o.oid::pg_catalog.regoperator, o.oprresult::pg_catalog.regtype, o.oprcode, o.oprcom::pg_catalog.regoperator, "
		"o.oprnegate::pg_catalog.regoperator, o.oprrest, o.oprjoin, o.oprcanmerge, o.oprcanhash, pg_catalog.obj_description(o.oid, 'pg_operator'::pg_catalog.name)), NULL "
	"FROM pg_catalog.pg_operator o WHERE " IN_SCHEMAS("o.oprnamespace")},

	{"operator class", OperatorClassRelationId,
		"SELECT o.oid, pg_catalog.jsonb_build_array(" IDENTITY("pg_opclass", "o.oid") ", " IDENTITY("pg_opfamily", "o.opcfamily") ", o.opcintype::pg_catalog.regtype, "
		"o.opckeytype::pg_catalog.regtype, o.opcdefault, pg_catalog.obj_description(o.oid, 'pg_opclass'::pg_catalog.name)), NULL "
	"FROM pg_catalog.pg_opclass o WHERE " IN_SCHEMAS("o.opcnamespace")},

	{"operator family", OperatorFamilyRelationId,
		"SELECT f.oid, pg_catalog.jsonb_build_array(" IDENTITY("pg_opfamily", "f.oid") ", "
		"(SELECT pg_catalog.jsonb_agg(m.line ORDER BY m.line::pg_catalog.text COLLATE pg_catalog.\"C\") FROM (SELECT pg_catalog.jsonb_build_array(a.amoplefttype::pg_catalog.regtype, "
		"a.amoprighttype::pg_catalog.regtype, a.amopstrategy, a.amoppurpose, a.amopopr::pg_catalog.regoperator) AS line "
		"FROM pg_catalog.pg_amop a WHERE a.amopfamily OPERATOR(pg_catalog.=) f.oid "
		"UNION ALL SELECT pg_catalog.jsonb_build_array(p.amproclefttype::pg_catalog.regtype, p.amprocrighttype::pg_catalog.regtype, p.amprocnum, p.amproc) "
		"FROM pg_catalog.pg_amproc p WHERE p.amprocfamily OPERATOR(pg_catalog.=) f.oid) m), pg_catalog.obj_description(f.oid, 'pg_opfamily'::pg_catalog.name)), NULL "
	"FROM pg_catalog.pg_opfamily f WHERE " IN_SCHEMAS("f.opfnamespace")},

	{"cast", CastRelationId,
		"SELECT c.oid, pg_catalog.jsonb_build_array(c.castsource::pg_catalog.regtype, c.casttarget::pg_catalog.regtype, c.castfunc::pg_catalog.regprocedure, "
	"c.castcontext, c.castmethod, pg_catalog.obj_description(c.oid, 'pg_cast'::pg_catalog.name)), NULL FROM pg_catalog.pg_cast c WHERE " IS_OURS("c.oid")},

	/* 17 has another name for the column of ICU's locale */
	{"collation", CollationRelationId,
		"SELECT c.oid, pg_catalog.jsonb_build_array(c.oid::pg_catalog.regcollation, c.collprovider, c.collisdeterministic, c.collencoding, c.collcollate, c.collctype, "
		"COALESCE(pg_catalog.to_jsonb(c) OPERATOR(pg_catalog.->>) 'colllocale'::pg_catalog.text, pg_catalog.to_jsonb(c) OPERATOR(pg_catalog.->>) 'colliculocale'::pg_catalog.text), "
		"pg_catalog.to_jsonb(c) OPERATOR(pg_catalog.->>) 'collicurules'::pg_catalog.text, pg_catalog.obj_description(c.oid, 'pg_collation'::pg_catalog.name)), NULL "
	"FROM pg_catalog.pg_collation c WHERE " IN_SCHEMAS("c.collnamespace")},

	{"conversion", ConversionRelationId,
		"SELECT c.oid, pg_catalog.jsonb_build_array(" IDENTITY("pg_conversion", "c.oid") ", c.conforencoding, c.contoencoding, c.conproc, c.condefault), NULL "
	"FROM pg_catalog.pg_conversion c WHERE " IN_SCHEMAS("c.connamespace")},

	{"language", LanguageRelationId,
		"SELECT l.oid, pg_catalog.jsonb_build_array(l.lanname, l.lanpltrusted, l.lanplcallfoid::pg_catalog.regprocedure, "
	PRIVILEGES("l.lanacl", "'l'", "l.lanowner") "), NULL FROM pg_catalog.pg_language l WHERE " IS_OURS("l.oid")},

	{"text search configuration", TSConfigRelationId,
		"SELECT c.oid, pg_catalog.jsonb_build_array(c.oid::pg_catalog.regconfig, " IDENTITY("pg_ts_parser", "c.cfgparser") ", "
		"(SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_array(m.maptokentype, m.mapdict::pg_catalog.regdictionary) ORDER BY m.maptokentype, m.mapseqno) "
		"FROM pg_catalog.pg_ts_config_map m WHERE m.mapcfg OPERATOR(pg_catalog.=) c.oid), pg_catalog.obj_description(c.oid, 'pg_ts_config'::pg_catalog.name)), NULL "
	"FROM pg_catalog.pg_ts_config c WHERE " IN_SCHEMAS("c.cfgnamespace")},

	{"text search dictionary", TSDictionaryRelationId,
		"SELECT d.oid, pg_catalog.jsonb_build_array(d.oid::pg_catalog.regdictionary, " IDENTITY("pg_ts_template", "d.dicttemplate") ", d.dictinitoption, "
	"pg_catalog.obj_description(d.oid, 'pg_ts_dict'::pg_catalog.name)), NULL FROM pg_catalog.pg_ts_dict d WHERE " IN_SCHEMAS("d.dictnamespace")},

	{"foreign-data wrapper", ForeignDataWrapperRelationId,
		"SELECT w.oid, pg_catalog.jsonb_build_array(w.fdwname, w.fdwhandler::pg_catalog.regprocedure, w.fdwvalidator::pg_catalog.regprocedure, " SORTED("w.fdwoptions") ", "
	PRIVILEGES("w.fdwacl", "'F'", "w.fdwowner") "), NULL FROM pg_catalog.pg_foreign_data_wrapper w"},

	{"foreign server", ForeignServerRelationId,
		"SELECT s.oid, pg_catalog.jsonb_build_array(s.srvname, w.fdwname, s.srvtype, s.srvversion, " SORTED("s.srvoptions") ", "
		PRIVILEGES("s.srvacl", "'S'", "s.srvowner") "), NULL FROM pg_catalog.pg_foreign_server s "
	"JOIN pg_catalog.pg_foreign_data_wrapper w ON w.oid OPERATOR(pg_catalog.=) s.srvfdw"},

	{"publication", PublicationRelationId,
		"SELECT p.oid, pg_catalog.jsonb_build_array(p.pubname, p.puballtables, p.pubinsert, p.pubupdate, p.pubdelete, p.pubtruncate, p.pubviaroot, "
		"(SELECT pg_catalog.jsonb_agg(m.line ORDER BY m.line::pg_catalog.text COLLATE pg_catalog.\"C\") FROM (SELECT pg_catalog.jsonb_build_array(r.prrelid::pg_catalog.regclass, " COLUMN_NAMES("r.prattrs", "r.prrelid") ") AS line "
		"FROM pg_catalog.pg_publication_rel r WHERE r.prpubid OPERATOR(pg_catalog.=) p.oid "
		"UNION ALL SELECT pg_catalog.jsonb_build_array(s.pnnspid::pg_catalog.regnamespace) FROM pg_catalog.pg_publication_namespace s "
		"WHERE s.pnpubid OPERATOR(pg_catalog.=) p.oid) m)), "
		"(SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_array(r.prrelid::pg_catalog.regclass, pg_catalog.pg_get_expr(r.prqual, r.prrelid)) ORDER BY r.prrelid::pg_catalog.regclass::pg_catalog.text COLLATE pg_catalog.\"C\") "
		"FROM pg_catalog.pg_publication_rel r WHERE r.prpubid OPERATOR(pg_catalog.=) p.oid AND r.prqual IS NOT NULL) "
	"FROM pg_catalog.pg_publication p"},
};

/* Return the schemas that count. */
static Datum
read_schemas(void)
{
	bool		isnull;

	if (SPI_execute("SELECT ARRAY(SELECT n.oid FROM pg_catalog.pg_namespace n WHERE n.nspname OPERATOR(pg_catalog.!~) '^pg_'::pg_catalog.text "
					"AND n.nspname OPERATOR(pg_catalog.<>) 'information_schema'::pg_catalog.name)", true, 1) != SPI_OK_SELECT)
		elog(ERROR, "the schemas cannot be read");
	return SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);
}

/* Add a column of a row as a line, unless it is NULL. */
static void
add_line(Lines *lines, const Aspect *aspect, int number, uint64 row, const char *key)
{
	char	   *text = SPI_getvalue(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, number);

	if (text != NULL)
		lines->lines = lappend(lines->lines, psprintf("%s %s%s", aspect->name, key, text));
}

static void
read_aspect(const Aspect *aspect, Datum schemas, Lines *facts, Lines *spelled)
{
	Oid			types[] = {OIDARRAYOID};

	if (SPI_execute_with_args(aspect->sql, 1, types, &schemas, NULL, true, 0) != SPI_OK_SELECT)
		elog(ERROR, "the catalogs cannot be read");
	for (uint64 row = 0; row < SPI_processed; row++)
	{
		bool		isnull;
		Oid			object = DatumGetObjectId(SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, 1, &isnull));

		if (OidIsValid(getExtensionOfObject(aspect->catalog, object)))
			continue;
		add_line(facts, aspect, 2, row, "");
		add_line(spelled, aspect, 3, row, SPI_getvalue(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, 2));
	}
	SPI_freetuptable(SPI_tuptable);
}

static int
compare_lines(const ListCell *a, const ListCell *b)
{
	return strcmp(lfirst(a), lfirst(b));
}

/* Return the first digits of the hash of all lines, in whatever order they were read. */
static char *
hash_lines(Lines *lines)
{
	StringInfoData text;
	ListCell   *lc;

	initStringInfo(&text);
	list_sort(lines->lines, compare_lines);
	foreach(lc, lines->lines)
	{
		ereport(DEBUG1, errmsg_internal("%s: %s", lines->name, (char *) lfirst(lc)));
		appendStringInfo(&text, "%s\n", (char *) lfirst(lc));
	}
	return pnstrdup(dbkit_sha256(text.data, text.len), FINGERPRINT_DIGITS);
}

PG_FUNCTION_INFO_V1(dbkit_fingerprint);

/*
 * dbkit.fingerprint() returns text
 *
 * The same in two databases of one major version if and only if their schemas are.  What stands before the
 * space is without views and expressions, so it can be compared across versions.
 */
Datum
dbkit_fingerprint(PG_FUNCTION_ARGS pg_attribute_unused())
{
	MemoryContext caller = CurrentMemoryContext;
	Lines		facts = {"fact", NIL};
	Lines		spelled = {"expression", NIL};
	AsOwner		saved;
	Datum		schemas;
	char	   *result;

	dbkit_begin_catalog_text("pg_catalog, pg_temp", &saved);	/* names have their
																 * schema */
	SPI_connect();
	schemas = read_schemas();
	for (size_t i = 0; i < lengthof(aspects); i++)
		read_aspect(&aspects[i], schemas, &facts, &spelled);
	result = psprintf("%s %d:%s", hash_lines(&facts), PG_VERSION_NUM / 10000, hash_lines(&spelled));
	result = MemoryContextStrdup(caller, result);
	SPI_finish();
	dbkit_end_as_owner(&saved);
	PG_RETURN_TEXT_P(cstring_to_text(result));
}
