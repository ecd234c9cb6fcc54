# What dbkit adds to the function of a rule of the team: dbkit.check() by that rule alone, against
# the function in a loop; and what a block with EXCEPTION adds to it in PL/pgSQL, which keeps an
# error from the rest as well, and neither pins the search_path nor the rights.

package bench::own_rules;

use strict;
use warnings;
use tables;

my $functions = <<~'SQL';
	SELECT dbkit.agree('{"preset": "none"}');
	CREATE SCHEMA team;
	CREATE FUNCTION team.nothing(object oid) RETURNS TABLE (column_name text, problem text, fix text) LANGUAGE sql STABLE AS
		$$ SELECT NULL, NULL, NULL WHERE false $$;
	CREATE FUNCTION team.plural(object oid) RETURNS TABLE (column_name text, problem text, fix text) LANGUAGE sql STABLE AS
		$$ SELECT NULL, format('the name "%s" is not plural', relname), NULL FROM pg_class WHERE oid = object AND relname LIKE '%s' $$;
	CREATE FUNCTION team.money(object oid) RETURNS TABLE (column_name text, problem text, fix text) LANGUAGE plpgsql STABLE AS $$
	BEGIN
		RETURN QUERY SELECT attname::text, format('column "%s" is %s', attname, format_type(atttypid, atttypmod)), NULL::text
		FROM pg_attribute WHERE attrelid = object AND attnum > 0 AND NOT attisdropped AND atttypid = 'money'::regtype;
	END $$;
	SELECT dbkit.add_rule(name, format('team.%s(oid)', name)::regprocedure, '{table}', name) FROM unnest('{nothing,plural,money}'::text[]) AS name;
	SELECT dbkit.agree('{"rules": {"*": "off"}}');
	ANALYZE
	SQL

# One row of the table: a function.
sub around
{
	my ($tables, $function, $what) = @_;
	my $db = bench::tables::name($tables) . ' own';
	my $call = "PERFORM * FROM team.$function(relation);";
	my $loop = "FOR relation IN SELECT oid FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace LOOP %s END LOOP;";
	my ($bare, $guarded) = map { "DO \$\$ DECLARE relation oid; BEGIN " . sprintf($loop, $_) . ' END $$' } $call, "BEGIN $call EXCEPTION WHEN others THEN RAISE; END;";
	return {
		what => "a rule of the team, added to a function $what, each",
		unit => 'us',
		count => $tables,
		repeat => 5,
		baseline => { name => 'the function in a loop', db => $db, sql => $bare },
		dbkit => {
			name => 'dbkit.check()',
			db => $db,
			before => "SET dbkit.rule_levels = '$function=error'",
			sql => 'DO $$ BEGIN PERFORM count(*) FROM dbkit.check(); END $$',
			after => 'RESET dbkit.rule_levels'
		},
		peers => [ { name => 'EXCEPTION in PL/pgSQL', db => $db, sql => $guarded } ],
	};
}

return sub {
	my ($with) = @_;
	my $tables = int(1000 * ($with->{scale} < 1 ? $with->{scale} : 1)) || 1;
	return {
		setup => [
			[ 'dbkit', q{SELECT 'CREATE ROLE customer' WHERE to_regrole('customer') IS NULL \gexec} ],
			bench::tables::database($tables), [ bench::tables::name($tables) . ' own', $functions ] ],
		cases => [
			around($tables, 'nothing', 'that asks nothing'),
			around($tables, 'plural', 'in SQL'),
			around($tables, 'money', 'in PL/pgSQL') ],
	};
};
