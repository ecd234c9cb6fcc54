# Citus: the attacks on a tenant context that are written for one server, on a cluster.
#
# As they are, on the coordinator and on another server, where Citus must open no hole in tables
# of one server; and with their tables in the cluster in each of Citus' ways, by an attacker on
# the coordinator and on another server.  What is shown must be what one server shows, and what
# that refuses must be refused.  Where Citus itself does less, it is listed here.
#
# What is not run: context_startup and context_application (test/t) load dbkit in other ways than
# Citus allows, and context_pooler is about pgbouncer, which a server of the cluster does not see.

use strict;
use warnings;

use File::Basename qw(basename);
use FindBin;
use lib "$FindBin::Bin/../lib";
use CitusCluster qw(make_cluster);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $root = "$FindBin::Bin/../..";
my ($coordinator, @workers) = make_cluster(2, initdb => [ '--locale=C', '--encoding=UTF8' ]);
$coordinator->safe_psql('postgres', 'CREATE EXTENSION dbkit');

# What Citus does otherwise: the statement, and what is said to it.
my $body = qr/^(END \$\$;|  \$\$ (BEGIN|DECLARE) .*)$/;
my @differences = (

	# what an attacker would create is there, see below
	[ qr/^CREATE (FUNCTION|CONSTRAINT TRIGGER)|^ALTER FUNCTION|$body/, qr/^ERROR: (function "\w+" already exists|trigger "later" .* already exists|operation is not allowed on this node|cannot run function command because there was a parallel operation)/ ],

	# a table of the cluster has no statistics of its own
	[ qr/FROM pg_stats /, qr/^count --/ ],
	[ qr/^  USING \(.*\(SELECT/, qr/^ERROR: unexpected non-SELECT command in SubLink/ ],

	# so there are fewer rows; those that are shown are compared all the same
	[ qr/^:flow/, qr/^table \| id \| name / ],
	[ qr/^UPDATE memberships SET organization_id/, qr/^ERROR: modifying the partition value of rows is not allowed/ ],
	[ qr/FOR UPDATE;/, qr/^ERROR: could not run distributed query with FOR UPDATE/ ],
	[ qr/^DELETE FROM prize/, qr/^ERROR: cannot modify table "prize" because there was a parallel operation/ ],

	# what is sent to another server enters no context, and takes no other role there
	[ qr/^FETCH c;/, qr/^ERROR: a tenant context cannot be entered on a connection that another server/ ],
	[ qr/^SELECT set_config\('role', 'regress_boss', true\), count/, qr/^ERROR: permission denied to set role "regress_boss"/ ],

	# Citus' event triggers run a query, so that the warning comes one statement earlier
	[ qr/^DROP FUNCTION dbkit_agreement|^:show/, qr/^(WARNING: the tenant context cannot be changed with a setting|user \| organization -)/ ],
);

# Messages that come with Citus, or with an owner who can log in, as Citus needs one
my $beside = qr/^(HINT|DETAIL|CONTEXT): |^NOTICE: not propagating |^WARNING: (row level security now binds role "regress_boss"|the tenant context ends with its transaction)|ROUTINE pg_catalog\.(citus|master|run_command|worker)_/;

# Give what psql says to a script, as pg_regress runs it.
sub output
{
	my ($node, $script, $options) = @_;
	my $directory = PostgreSQL::Test::Utils::tempdir;
	append_to_file("$directory/script", $script);
	local $ENV{PGOPTIONS} = "-c intervalstyle=postgres_verbose $options";
	local $ENV{PGTZ} = 'America/Los_Angeles';
	local $ENV{PGDATESTYLE} = 'Postgres, MDY';
	chdir $root or die;
	system(sprintf "psql -Xaq -d '%s' < $directory/script > $directory/output 2>&1", $node->connstr('postgres')) == 0 or die;
	return slurp_file("$directory/output");
}

# Give the lines of a script with what is said to each, and the attack that it belongs to.  psql
# shows each line when it reads it.  Lines that were added are left out, and have to work.
sub said_to
{
	my ($script, $output) = @_;
	my @lines = grep { /\S/ } split /\n/, $script;
	my ($attack, @said) = ('set-up');
	for my $shown (split /\n/, $output)
	{
		if (@lines && $shown eq $lines[0])
		{
			my $line = shift @lines;
			$attack = $1 if $line =~ /^-- attack: ([^,(]*)/;
			push @said, { attack => $attack, line => $line, shown => [] };
		}
		else
		{
			push @{ $said[-1]{shown} }, join ' ', split ' ', $shown =~ s/^-(\[ RECORD \d+ \])[-+]+$/$1/r;
		}
	}
	die "the output ends before: $lines[0]" if @lines;
	for my $added (grep { $_->{line} =~ /-- added$/ } @said)
	{
		die "$added->{line}\n@{$added->{shown}}" if grep { /ERROR:|FATAL:/ } @{ $added->{shown} };
	}
	return [ grep { $_->{line} !~ /-- added$/ } @said ];
}

# Give the rows and messages among what was said, in any order, or that it was refused, for
# whatever reason.
sub outcome
{
	my @shown = grep { length && !/$beside|^[-+ ]+$|^\(\d+ rows?\)$/ } @_;
	return (grep { /^ERROR:/ } @shown) ? ('ERROR') : sort @shown;
}

# Compare what is said to a script with what is expected, attack by attack.
sub compare
{
	my ($name, $got, $expected) = @_;
	my %wrong;
	die unless @$expected == @$got;
	for my $i (0 .. $#$got)
	{
		my ($line, @shown) = ($got->[$i]{line}, @{ $got->[$i]{shown} });
		my ($attack, @expected) = ($expected->[$i]{attack}, @{ $expected->[$i]{shown} });
		my %expected = map { $_ => 1 } @expected;
		my $wrong = $wrong{$attack} //= [];

		push @$wrong, "shown too much: $line", @shown if grep { !/^(ERROR|NOTICE|WARNING|0$)/ && !$expected{$_} || /secret of b|prz_b/ && !$expected{$_} } outcome(@shown);
		push @$wrong, "otherwise: $line", @shown, 'expected:', @expected
		  unless join("\n", outcome(@shown)) eq join("\n", outcome(@expected)) || grep { $line =~ $_->[0] && "@shown" =~ $_->[1] } @differences;
	}
	is(join("\n", @{ $wrong{$_} }), '', "$name: $_") for sort keys %wrong;
}

# Give what is expected to be said to the script of a file.  Where Citus is, the policies that dbkit writes
# have no subquery.
sub expected_of
{
	my ($file) = @_;
	my $expected = slurp_file($file =~ s,/sql/([^/]*)\.sql$,/expected/$1.out,r);
	$expected =~ s/ON DATABASE contrib_regression/ON DATABASE postgres/g;
	$expected =~ s/\(SELECT (dbkit\.\w+\(\)::[\w ]+)\)/$1/g;
	$expected =~ s/\( SELECT (\(dbkit\.\w+\(\)\)::[\w ]+) AS \w+\)/$1/g;
	return said_to(slurp_file($file), $expected);
}

# Tables of one server
for my $node ($coordinator, $workers[0])
{
	for my $file (glob("$root/sql/context*.sql"), glob("$root/test/own_cluster/sql/context*.sql"))
	{
		my $script = slurp_file($file);
		compare($node->name . ', tables of its own, ' . basename($file, '.sql'),
			said_to($script, output($node, $script, '-c citus.enable_ddl_propagation=off -c citus.enable_create_role_propagation=off')), expected_of($file));
	}
}

# Tables of the cluster
my $tenant_id = 'organization_id';
my @tenant = ([ 'prize', $tenant_id ], [ 'gift', $tenant_id ], [ 'parted', $tenant_id ], [ 'setting_prize', $tenant_id ], [ 'decoy', 'id' ]);
my @flow = ([ 'organizations', 'id' ], ['users'], ['plans'], map { [ $_, $tenant_id ] } qw(memberships invitations comments));
my $attacks = "$root/test/own_cluster/sql/context_attacks.sql";
my $script = slurp_file($attacks);

# How Citus is told of a table; reference tables have no partitions
sub distribute { my ($table, $column) = @_; return $column ? "create_distributed_table('$table', '$column')" : "create_reference_table('$table')" }
my %ways = (
	distributed => \&distribute,
	reference => sub { my ($table, $column) = @_; return distribute($table, $table =~ /parted/ ? $column : undef) },
	local => sub { return "citus_add_local_table_to_metadata('$_[0]', cascade_via_foreign_keys => true)" });

# What the attacker creates is there beforehand, on all servers: Citus creates no functions in a
# transaction that has asked other servers, nor on any server but the coordinator.
my @created = $script =~ /^(CREATE (?:FUNCTION|PROCEDURE) (?!regress_tenant|dbkit|pg_temp)(?:[^\$;']|\$\$.*?\$\$|'[^']*')*;|CREATE CONSTRAINT TRIGGER [^\n]*;)(?! -- fails)/gms;

# Give the script with its tables in the cluster, and the attacker on a server of it.
sub spread
{
	my ($way, $node, $before) = @_;
	my $spread = $script;
	my $to = sub { return $_[0]->host . ' ' . $_[0]->port };
	my $added = sub { return join '', map { s/\s*\n\s*/ /gr . " -- added\n" } @_ };
	my $tables = sub { my $schema = shift; return map { 'SELECT ' . $ways{$way}->("$schema.$_->[0]", $_->[1]) . ';' } @_ };
	my @edits = (

		[ qr/^SET dbkit.enforce = off;\n\K(?=SET client_min_messages = warning;\n\\set)/m, $added->($before || ()) ],

		# Citus connects as the owner
		[ qr/CREATE ROLE regress_boss\K;/, ' LOGIN;' ],

		# a key has the column by which the table is distributed
		[ qr/prize \(id text COLLATE "C"\K PRIMARY KEY/, '' ],
		[ qr/^  \KUNIQUE (?=\(organization_id, id\))/m, 'PRIMARY KEY ' ],
		[ qr/gift \(id text\K PRIMARY KEY/, '' ],
		[ qr/ REFERENCES users( ON DELETE CASCADE)?(?=,)/, '' ],

		[ qr/^(?=SET ROLE regress_boss;\n(SET search_path|CREATE TABLE))/m, $added->(q{SET citus.multi_shard_modify_mode = 'sequential';}) ],
		[ qr/^(?=INSERT INTO regress_tenant.prize VALUES)/m, $added->($tables->('regress_tenant', @tenant)) ],
		[ qr/^(?=INSERT INTO regress_tenant.unforced)/m, $added->($tables->('regress_tenant', [ 'unforced', $tenant_id ])) ],
		[ qr/^(?=INSERT INTO organizations VALUES \('org_a', 'secret)/m, $added->($tables->('regress_flow', @flow)) ],
		[ qr/^\\set loot .*\n\n\K/m, $added->('\c - regress_pool ' . $to->($coordinator), 'SET ROLE regress_customer;', @created) ],
		[ qr/^\\c - regress_\w+\K$/m, ' ' . $to->($node) ],
		[ qr/^\\c - :superuser\K$/m, ' ' . $to->($coordinator) ]);
	for my $edit (@edits)
	{
		my ($what, $with) = @$edit;
		$spread =~ s/$what/$with/g or die $what;
	}
	return $spread;
}

my $expected = expected_of($attacks);
for my $way (sort keys %ways)
{
	for my $node ($coordinator, $workers[0])
	{
		my $spread = spread($way, $node);
		compare($node->name . ", $way tables", said_to($spread, output($coordinator, $spread, '')), $expected);
	}
}

# Shards are tables as well, whose names can be guessed
my $kept = q{SELECT string_agg(concat(organization_id, ': ', secret), ', ' ORDER BY t) FROM (SELECT 1 AS t, organization_id, secret FROM regress_tenant.prize UNION ALL SELECT 2, * FROM regress_tenant.setting_prize
	UNION ALL SELECT 3, * FROM regress_tenant.parted UNION ALL SELECT 4, organization_id, secret FROM regress_tenant.unforced) v WHERE organization_id = 'org_b'};
for my $way (sort keys %ways)
{
	output($coordinator, spread($way, $coordinator) =~ s/^\\set loot .*//msr, '');
	my $seen = '';
	for my $node ($coordinator, @workers)
	{
		my @shards = split /\n/, $node->safe_psql('postgres', q{SELECT oid::regclass FROM pg_class WHERE relnamespace = 'regress_tenant'::regnamespace AND relkind IN ('r', 'p') AND relname ~ '_\d+$'});
		my $tries = join '', map { my $shard = $_; map { "$_;\n" } "SELECT t::text FROM $shard t", "COPY $shard TO STDOUT", "UPDATE $shard SET organization_id = 'org_b' RETURNING *", "UPDATE $shard SET secret = 'planted' WHERE organization_id = 'org_b' RETURNING *",
			"DELETE FROM $shard WHERE organization_id = 'org_b' RETURNING *", "INSERT INTO $shard (organization_id, secret) VALUES ('org_b', 'planted') RETURNING *", "TRUNCATE $shard" } @shards;
		my $tried = output($node, "\\c - regress_customer\n\\set VERBOSITY terse\n${tries}BEGIN;\nSELECT dbkit.enter('usr_a', 'org_a');\n\\set ON_ERROR_ROLLBACK on\n${tries}COMMIT;\n", '');
		my @shown = grep { !/^(UPDATE|INSERT|DELETE) / } split /\n/, $tried;
		is(join("\n", grep { /secret of b|prz_b|planted/ } @shown), '', $node->name . ", $way tables: nothing is shown of " . @shards . ' shards');
		$seen .= $tried;
	}
	like($seen, qr/secret of a/, "$way tables: but one's own");
	is($coordinator->safe_psql('postgres', $kept), join(', ', ('org_b: secret of b') x 4), "$way tables: and nothing is changed");
	output($coordinator, "SET client_min_messages = warning;\nDROP SCHEMA regress_tenant CASCADE;\nDROP OWNED BY regress_customer;\nDROP ROLE regress_boss, regress_customer, regress_pool;\n", '') =~ /ERROR/ and die;
}

# Where the settings belong to the application, but within a context
my $agreement = q{CREATE OR REPLACE FUNCTION dbkit_agreement() RETURNS jsonb IMMUTABLE LANGUAGE sql AS $$ SELECT '{"reserve_settings": false}'::jsonb $$;};
for my $node ($coordinator, $workers[0])
{
	my $spread = spread('distributed', $node, $agreement);
	compare($node->name . ', distributed tables, with settings that belong to the application', said_to($spread, output($coordinator, $spread, '')), $expected);
}

# Tenants that are no text: Citus takes no policy with a subquery, so dbkit.protect() writes none there
$coordinator->safe_psql('postgres', 'SET dbkit.enforce = off; CREATE ROLE regress_customer LOGIN');
my $protect = q{SELECT dbkit.protect('typed', role => 'regress_customer')};
my $distribute = q{SELECT create_distributed_table('typed', 'organization_id')};
for my $case ([ 'uuid', '0190163d-8694-739b-aea5-966c26f8ad91', '0190163d-8694-739b-aea5-966c26f8ad92' ], [ 'bigint', 7, 8 ], [ 'numeric', 7.5, 8 ], [ 'varchar(9)', 'org_a', 'org_b' ])
{
	my ($type, $own, $other) = @$case;
	for my $order ([ 'distributed, then protected', $distribute, $protect ], [ 'protected, then distributed', $protect, $distribute ])
	{
		my ($what, @statements) = @$order;
		$coordinator->safe_psql('postgres', join '; ', 'SET dbkit.enforce = off; SET client_min_messages = error', "CREATE TABLE typed (organization_id $type, n bigint)",
			@statements, "INSERT INTO typed VALUES ('$own', 1), ('$other', 2)");
		for my $node ($coordinator, $workers[0])
		{
			for my $try ([ 'sees its own rows', 'SELECT n FROM typed', qr/^1$/ ],
				[ 'also of one shard', "SELECT n FROM typed WHERE organization_id = '$own'", qr/^1$/ ],
				[ 'but none of another', "SELECT n FROM typed WHERE organization_id = '$other'", qr/^$/ ],
				[ 'writes its own', "INSERT INTO typed VALUES ('$own', 3) RETURNING n", qr/^3$/ ],
				[ 'but no others', "INSERT INTO typed VALUES ('$other', 4)", qr/new row violates row-level security policy/ ])
			{
				my (undef, $stdout, $stderr) = $node->psql('postgres', "BEGIN; SELECT FROM dbkit.enter(NULL, '$own'); $try->[1]; ROLLBACK", extra_params => [ '-U', 'regress_customer' ]);
				like($stdout =~ s/^\n//r . $stderr, $try->[2], $node->name . ": a tenant of type $type, $what: $try->[0]");
			}
		}
		$coordinator->safe_psql('postgres', 'DROP TABLE typed');
	}
}

# Signed mode, where Citus is loaded and in the database
my $signed = slurp_file("$root/test/t/context_signed.pl");
$signed =~ s/shared_preload_libraries = '\Kdbkit'/citus,dbkit'/ or die;
$signed =~ s/(?=CREATE EXTENSION dbkit)/CREATE EXTENSION citus; / or die;
$signed =~ s/CREATE DATABASE other\K TEMPLATE postgres/;\n\\c other\nCREATE EXTENSION citus; CREATE EXTENSION dbkit/ or die;
my $file = PostgreSQL::Test::Utils::tempdir . '/context_signed.pl';
append_to_file($file, $signed);
my ($stdout, $stderr) = run_command([ $^X, $file ]);
is(join("\n", $stdout =~ /^(not ok .*|1\.\.\d+)/mg), '1..' . (() = $stdout =~ /^ok /mg), 'context_signed: a server of a cluster accepts nothing else, and nothing less') or diag($stderr);

done_testing();
