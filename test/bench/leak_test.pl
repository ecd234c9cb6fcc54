# dbkit.leak_test() of a schema of 100 tables that reference each other, against the time that
# a test may take.

use strict;
use warnings;

return sub {
	my ($with) = @_;
	my $tables = int(100 * ($with->{scale} < 1 ? $with->{scale} : 1)) || 1;
	my $db = 'bench_leak_test';
	return {
		setup => [
			[ 'dbkit', "CREATE DATABASE $db" ],
			[ 'dbkit', q{SELECT 'CREATE ROLE customer' WHERE to_regrole('customer') IS NULL \gexec} ],
			[ $db, <<~SQL ] ],
			CREATE EXTENSION dbkit;
			CREATE EXTENSION dbkit_test;
			SET dbkit.enforce = off;
			GRANT USAGE ON SCHEMA public TO customer;
			SELECT dbkit.create_table('organizations', 'name text NOT NULL');
			SELECT dbkit.create_table('users', 'email text NOT NULL UNIQUE, organization_id text NOT NULL REFERENCES organizations', 'usr');
			SELECT dbkit.create_table('things_1', 'organization_id text NOT NULL REFERENCES organizations, user_id text REFERENCES users, title text NOT NULL UNIQUE');
			DO \$\$ BEGIN
				FOR n IN 2 .. $tables - 2 LOOP
					PERFORM dbkit.create_table('things_' || n, format('organization_id text NOT NULL REFERENCES organizations, user_id text REFERENCES users,
						parent_id text NOT NULL REFERENCES things_%s, title text NOT NULL UNIQUE, pages bigint CHECK (pages > 0)', n - 1), 't' || chr(97 + n / 26) || chr(97 + n % 26));
				END LOOP;
			END \$\$;
			ANALYZE
			SQL
		cases => [ {
			what => "dbkit.leak_test() of $tables tables",
			unit => 's',
			rounds => 3,
			dbkit => { name => 'dbkit.leak_test()', db => $db, sql => 'DO $$ BEGIN PERFORM count(*) FROM dbkit.leak_test(); END $$' },
			peers => [ { name => 'what a test may take', db => $db, value => 'SELECT 10', aim => 1 } ],
		} ],
	};
};
