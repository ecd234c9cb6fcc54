# The peers of the conventions: the same questions in SQL and in PL/pgSQL.

package bench::linter;

use strict;
use warnings;
use File::Basename qw(dirname);

# Return the query over all objects, or about one.
sub query
{
	my ($only) = @_;
	open my $file, '<', dirname(__FILE__) . '/linter.sql' or die "linter.sql: $!";
	my $query = do { local $/; <$file> };
	close $file;
	$query =~ s/^--.*\n//gm;
	$query =~ s/ONLY\(([^)]*)\)/$only ? "$1 = $only" : 'true'/ge;
	return $query;
}

# The view "linter", as a user would ask for what is wrong.
sub view
{
	return 'SET dbkit.enforce = off; CREATE VIEW linter WITH (security_invoker) AS ' . query();
}

# An event trigger that rejects what breaks the rules, as dbkit does: those of
# phase statement when a statement ends, all of them when the transaction commits,
# which takes a constraint trigger on a queue of what was touched.  Whether
# another table has the prefix it does not ask.  The settings make a generic plan
# look the one object up, however many there are.
sub event_trigger
{
	return 'SET dbkit.enforce = off; ' . <<~SQL =~ s/QUERY/query('only_oid')/er;
		CREATE TABLE linter_queue (objid oid PRIMARY KEY);
		CREATE FUNCTION linter_judge(only_oid oid, at_commit boolean) RETURNS void LANGUAGE plpgsql
			SET plan_cache_mode = force_generic_plan SET enable_hashjoin = off SET enable_mergejoin = off SET enable_seqscan = off AS \$\$
		DECLARE
			finding record;
			problems text := '';
		BEGIN
			FOR finding IN QUERY LOOP
				CONTINUE WHEN NOT at_commit AND finding.rule IN ('updated_at_trigger', 'fk_index', 'fk_on_delete', 'extid',
					'rls_enabled', 'rls_policy', 'policy_with_check', 'forgeable_policy', 'duplicate_index');
				CONTINUE WHEN finding.rule IN ('policy_with_check', 'forgeable_policy', 'duplicate_index', 'security_definer_path');
				problems := problems || format(E'\\n%s: %s %s', finding.rule, finding.identity, finding.column_name);
			END LOOP;
			IF problems <> '' THEN
				RAISE 'conventions are broken' USING DETAIL = problems;
			END IF;
		END \$\$;
		CREATE FUNCTION linter_at_commit() RETURNS trigger LANGUAGE plpgsql AS \$\$
		BEGIN
			PERFORM linter_judge(NEW.objid, true);
			DELETE FROM linter_queue WHERE objid = NEW.objid;
			RETURN NULL;
		END \$\$;
		CREATE CONSTRAINT TRIGGER linter_at_commit AFTER INSERT ON linter_queue DEFERRABLE INITIALLY DEFERRED
			FOR EACH ROW EXECUTE FUNCTION linter_at_commit();
		CREATE FUNCTION linter_at_statement() RETURNS event_trigger LANGUAGE plpgsql AS \$\$
		DECLARE
			command record;
		BEGIN
			FOR command IN SELECT DISTINCT objid FROM pg_event_trigger_ddl_commands()
				WHERE object_type IN ('table', 'view', 'type', 'function') AND NOT in_extension
			LOOP
				PERFORM linter_judge(command.objid, false);
				INSERT INTO linter_queue VALUES (command.objid) ON CONFLICT DO NOTHING;
			END LOOP;
		END \$\$;
		CREATE EVENT TRIGGER linter ON ddl_command_end EXECUTE FUNCTION linter_at_statement();
		ALTER EVENT TRIGGER linter DISABLE
		SQL
}

1;
