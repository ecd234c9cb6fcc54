# sqlsmith's random queries in a database with dbkit and good tables, enum tables
# and locks in it, as an ordinary role that may call what any role may: no query
# ends the server, and none raises an internal error that dbkit has a part in.
# As a superuser it would call pg_reload_conf(), lo_export() and the like.

use strict;
use warnings;
use Test::More;
use Torture;

start_cluster(shared_preload_libraries => 'dbkit', 'dbkit.max_lock_names' => 100, statement_timeout => "'2s'", lock_timeout => "'200ms'");
my $session = connect_to();
run_sql($session, q{SET client_min_messages = error; SELECT dbkit.create_enum('mood', '{sad,happy}')});
run_sql($session, join '; ', 'BEGIN', good_table('organizations', 'org'),
	good_table('users', 'usr', 'organization_id text COLLATE "C" NOT NULL REFERENCES organizations ON DELETE CASCADE'),
	'CREATE INDEX ON users (organization_id)',
	good_table('notes', 'nt', q{organization_id text COLLATE "C" REFERENCES organizations ON DELETE CASCADE, mood text DEFAULT 'sad' REFERENCES mood_enum, n bigint, at timestamptz, tags text[]}),
	'CREATE INDEX ON notes (organization_id)', 'CREATE INDEX ON notes (mood)', 'COMMIT');
run_sql($session, q{INSERT INTO organizations SELECT FROM generate_series(1, 20);
	INSERT INTO users (organization_id) SELECT id FROM organizations;
	INSERT INTO notes (organization_id, n) SELECT id, 1 FROM organizations});
run_sql($session, q{SET dbkit.enforce = off; CREATE TABLE legacy (id serial, at timestamp, user_id int); RESET dbkit.enforce});
run_sql($session, q{CREATE ROLE regress_smith LOGIN; GRANT ALL ON ALL TABLES IN SCHEMA public TO regress_smith; GRANT CREATE ON SCHEMA public TO regress_smith;
	GRANT EXECUTE ON FUNCTION dbkit.agree, dbkit.exempt, dbkit.unexempt, dbkit.baseline, dbkit.unbaseline, dbkit.register_prefix TO regress_smith; GRANT SELECT ON dbkit.exemption, dbkit.id_prefix TO regress_smith;
	GRANT pg_read_all_stats TO regress_smith});

# What is wrong with it is PostgreSQL's own business unless dbkit is in the query or in the place
my @complaints;
my $runs = 0;
while (time_is_left())
{
	my $seed = ($ENV{TORTURE_SEED} || 1) * 1000 + $runs++;
	my $left = int(seconds() / 3) + 1;
	system("timeout $left sqlsmith --target='host=$Torture::cluster->{directory} port=5432 dbname=torture user=regress_smith' "
		  . "--seed=$seed --max-queries=100000 --exclude-catalog > $Torture::cluster->{directory}/sqlsmith.log 2>&1");
	server_is_up() or BAIL_OUT('the server is gone');
	push @complaints, map { "seed $seed: $_" } log_complaints(theirs => 1);
}
is(scalar @complaints, 0, "sqlsmith, $runs runs") or diag(@complaints[ 0 .. ($#complaints < 9 ? $#complaints : 9) ]);

$session = connect_to();
is(ask($session, q{SELECT count(*) FROM dbkit.check() WHERE object_identity NOT LIKE '%legacy%' AND level = 'error'}), '0', 'what was good is good');
is(join("\n", registry_complaints($session)), '', 'the registry says what the tables say');
is(sql_error($session, 'CREATE TABLE bad (id int)'), 'KD001', 'enforcement is at work');
done_testing();
