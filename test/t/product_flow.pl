# The flow of docs/how-to/product-flow.md with two clients that are connected throughout: what each
# step shows to whom, and what an attacker tries with it.

use strict;
use warnings;

use FindBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', "session_preload_libraries = 'dbkit'");
$node->start;

# The roles and tables are those of the page
my $page = slurp_file("$FindBin::Bin/../../docs/how-to/product-flow.md");
my ($roles, $tables) = $page =~ /^## Roles\n.*?^```sql\n(.*?)^```\n.*^## Tables\n.*?^```sql\n(.*?)^```\n/ms or die 'no tables';
$node->safe_psql('postgres', "CREATE EXTENSION dbkit; $roles $tables ALTER ROLE customer LOGIN; ALTER ROLE support LOGIN");

# Open a session of a role.
sub session
{
	my ($role) = @_;
	return $node->background_psql('postgres', on_error_stop => 0, extra_params => [ '-U', $role, '-v', 'VERBOSITY=terse' ]);
}

# Run statements and return what they show, errors included.
sub told
{
	my ($session, $sql) = @_;
	$session->{stderr} = '';
	my $shown = $session->query($sql);
	my @errors = $session->{stderr} =~ /(ERROR:.*)/g;
	return join "\n", grep { $_ ne '' } $shown, @errors;
}

sub enter
{
	my ($session, $user, $organization) = @_;
	my ($u, $o) = map { defined $_ ? "'$_'" : 'NULL' } $user, $organization;
	is(told($session, "BEGIN; SELECT FROM dbkit.enter($u, $o)"), '', 'enters ' . ($user // 'nobody') . ', ' . ($organization // 'nowhere'));
}

# Run statements as a user of an organization; what follows them is rolled back or committed.
sub as_member
{
	my ($session, $user, $organization, $sql) = @_;
	my ($u, $o) = map { defined $_ ? "'$_'" : 'NULL' } $user, $organization;
	my $shown = told($session, "BEGIN; SELECT FROM dbkit.enter($u, $o); $sql");
	told($session, 'COMMIT');
	return $shown;
}

my $refused = qr/^ERROR:  new row violates row-level security policy for table "\w+"$/;
my ($one, $two) = (session('customer'), session('customer'));
my %id = map { $_ => $node->safe_psql('postgres', "SELECT generate_id('" . ($_ =~ /^(acme|bolts)$/ ? 'org' : 'usr') . "')") } qw(ada bob eve acme bolts);

# Sign up: nobody sees anything of it before it is complete
enter($one, $id{ada}, $id{acme});
is(told($one, qq{INSERT INTO users (id, email, name) VALUES ('$id{ada}', 'ada\@example.com', 'Ada');
	INSERT INTO organizations (id, name) VALUES ('$id{acme}', 'Acme');
	INSERT INTO memberships (user_id) VALUES ('$id{ada}') RETURNING organization_id = '$id{acme}'}), 't', 'a user signs up');
is(as_member($two, $id{ada}, undef, 'SELECT name FROM organizations'), '', 'the other client does not see it yet');
told($one, 'COMMIT');
is(as_member($two, $id{ada}, undef, 'SELECT name FROM organizations'), 'Acme', 'and then it does');

like(as_member($two, $id{bob}, $id{acme}, "INSERT INTO organizations (id, name) VALUES ('$id{acme}', 'Mine')"),
	qr/^ERROR:  duplicate key value/, 'an organization that exists cannot be founded again');
like(as_member($two, $id{bob}, $id{bolts}, "INSERT INTO users (id, email) VALUES ('$id{eve}', 'eve\@example.com')"), $refused, 'nobody makes another user');
like(as_member($two, $id{bob}, $id{bolts}, "INSERT INTO organizations (id, name) VALUES (generate_id('org'), 'Third')"), $refused, 'nor an organization that is not entered');
like(as_member($two, undef, undef, 'SELECT 1'), qr/^ERROR:/, 'to enter nothing is refused');
like(told($two, "INSERT INTO users (email) VALUES ('eve\@example.com')"), $refused, 'nothing is written without a context');
is(as_member($two, $id{bob}, $id{bolts}, qq{INSERT INTO users (id, email, name) VALUES ('$id{bob}', 'bob\@example.com', 'Bob');
	INSERT INTO organizations (id, name) VALUES ('$id{bolts}', 'Bolts'); INSERT INTO memberships (user_id) VALUES ('$id{bob}')}), '', 'another signs up');

# Log in
my $memberships = 'SELECT o.name FROM memberships m JOIN organizations o ON o.id = m.organization_id ORDER BY 1';
is(as_member($one, $id{ada}, undef, $memberships), 'Acme', 'who logs in sees the own organizations');
is(as_member($two, $id{bob}, undef, $memberships), 'Bolts', 'and the other client others');
is(as_member($two, $id{bob}, undef, 'SELECT count(*) FROM users'), '1', 'of the users only oneself');
is(as_member($two, $id{bob}, undef, 'SELECT count(*) FROM comments'), '0', 'and no comments');
is(told($two, 'SELECT count(*) FROM memberships'), '0', 'without a context nothing');

# Invite and join
is(as_member($one, $id{ada}, $id{acme}, "INSERT INTO invitations (email) VALUES ('bob\@example.com'), ('eve\@example.com')"), '', 'a member invites');
is(as_member($two, $id{bob}, undef, "SELECT email, organization_id = '$id{acme}' FROM invitations"), 'bob@example.com|t', 'who is invited sees that, and no more');
is(as_member($two, $id{bob}, $id{bolts}, "SELECT email FROM invitations"), 'bob@example.com', 'also in another organization');
is(as_member($two, $id{bob}, undef, "DELETE FROM invitations RETURNING email"), '', 'but cannot change it from outside');
like(as_member($two, $id{bob}, $id{bolts}, "INSERT INTO invitations (organization_id, email) VALUES ('$id{acme}', 'eve\@example.net')"), $refused, 'nor invite to another');
like(as_member($two, $id{bob}, $id{bolts}, "INSERT INTO memberships (organization_id, user_id) VALUES ('$id{acme}', '$id{bob}')"), $refused, 'nor join one that is not entered');
like(as_member($two, $id{bob}, undef, "INSERT INTO memberships (organization_id, user_id) VALUES ('$id{acme}', '$id{bob}')"), $refused, 'nor without entering one');
like(as_member($two, $id{bob}, $id{bolts}, "UPDATE memberships SET organization_id = '$id{acme}'"), $refused, 'nor move a membership there');
is(as_member($two, $id{bob}, $id{acme}, qq{INSERT INTO memberships (user_id) VALUES (dbkit.user_id());
	DELETE FROM invitations WHERE email = 'bob\@example.com'}), '', 'and joins');

# Switch the organization
is(as_member($two, $id{bob}, undef, $memberships), "Acme\nBolts", 'now there are two');
enter($two, $id{bob}, $id{acme});
like(told($two, "SELECT dbkit.enter('$id{bob}', '$id{bolts}')"), qr/^ERROR:/, 'there is no second one in a transaction');
told($two, 'ROLLBACK');
for my $sql ("SET app.organization_id = '$id{bolts}'", "SELECT set_config('app.organization_id', '$id{bolts}', true)", 'SET ROLE support', 'RESET ROLE', 'SET SESSION AUTHORIZATION support')
{
	enter($two, $id{bob}, $id{acme});
	like(told($two, $sql), qr/^ERROR:/, "nor by $sql");
	told($two, 'ROLLBACK');
}

# List members, from both clients at once
my $members = 'SELECT u.name FROM memberships m JOIN users u ON u.id = m.user_id WHERE m.organization_id = dbkit.organization_id() ORDER BY 1';
enter($one, $id{ada}, $id{acme});
enter($two, $id{bob}, $id{bolts});
is(told($one, $members), "Ada\nBob", 'each organization has its members');
is(told($two, $members), 'Bob', 'and each client sees those of its own');
is(told($two, 'SELECT name FROM users'), 'Bob', 'not even a name of others');
is(told($two, "UPDATE users SET name = 'x' WHERE id = '$id{ada}' RETURNING name"), '', 'to say nothing of changing it');
is(told($one, "UPDATE users SET name = 'x' WHERE id = '$id{bob}' RETURNING name"), '', 'which a colleague cannot, either');
told($_, 'COMMIT') for $one, $two;

# Comments
enter($one, $id{ada}, $id{acme});
enter($two, $id{bob}, $id{acme});
is(told($one, "INSERT INTO comments (body) VALUES ('Welcome') RETURNING user_id = '$id{ada}', organization_id = '$id{acme}'"), 't|t', 'a member writes');
is(told($two, 'SELECT body FROM comments'), '', 'nobody reads it before COMMIT');
told($one, 'COMMIT');
is(told($two, 'SELECT body FROM comments'), 'Welcome', 'and then the other does');
is(told($two, "INSERT INTO comments (body) VALUES ('Thanks'); UPDATE comments SET body = body || '!' RETURNING body"), 'Thanks!', 'who changes only the own');
is(told($two, "DELETE FROM comments WHERE user_id <> '$id{bob}' RETURNING body"), '', 'and deletes only the own');
told($two, 'COMMIT');
for my $forged ("INSERT INTO comments (body, user_id) VALUES ('forged', '$id{ada}')", "INSERT INTO comments (body, organization_id) VALUES ('elsewhere', '$id{bolts}')",
	"UPDATE comments SET user_id = '$id{ada}'", "UPDATE comments SET organization_id = '$id{bolts}'")
{
	like(as_member($two, $id{bob}, $id{acme}, $forged), $refused, $forged);
}
like(as_member($two, undef, $id{acme}, "INSERT INTO comments (body) VALUES ('anonymous')"), $refused, 'no comment without a user');
is(as_member($two, $id{bob}, $id{bolts}, 'SELECT count(*) FROM comments'), '0', 'another organization has none of them, not even the own');
is(as_member($two, $id{bob}, $id{bolts}, 'DELETE FROM comments RETURNING body'), '', 'and deletes none');
is(as_member($two, $id{bob}, undef, 'SELECT count(*) FROM comments'), '0', 'nor without one');

# What everybody reads and nobody writes
is(told($one, 'SELECT name FROM plans ORDER BY 1'), "large\nsmall", 'plans are read without a context');
like(as_member($one, $id{ada}, $id{acme}, $_), qr/^ERROR:  permission denied for table plans$/, $_)
	for q{INSERT INTO plans (name) VALUES ('free')}, q{UPDATE plans SET name = 'free'}, 'DELETE FROM plans', 'SELECT 1 FROM plans FOR UPDATE';

# Remove a member
is(as_member($two, $id{bob}, $id{bolts}, "DELETE FROM memberships WHERE user_id = '$id{ada}' RETURNING 1"), '', 'nobody removes a member of another organization');
is(as_member($two, $id{bob}, $id{bolts}, "DELETE FROM memberships WHERE organization_id = '$id{acme}' RETURNING 1"), '', 'not even oneself');
is(as_member($one, $id{ada}, $id{acme}, "DELETE FROM memberships WHERE user_id = '$id{bob}' RETURNING 1"), '1', 'a member removes another');
is(as_member($two, $id{bob}, undef, $memberships), 'Bolts', 'who is in one organization less');
is(as_member($one, $id{ada}, $id{acme}, 'SELECT body FROM comments ORDER BY 1'), "Thanks!\nWelcome", 'what was written stays');

# Delete an organization
is(as_member($two, $id{bob}, $id{bolts}, "DELETE FROM organizations WHERE id = '$id{acme}' RETURNING 1"), '', 'nobody deletes another organization');
is(as_member($two, $id{ada}, undef, 'DELETE FROM organizations RETURNING 1'), '', 'nor one that is not entered');
is(as_member($one, $id{ada}, $id{acme}, 'DELETE FROM organizations RETURNING name'), 'Acme', 'it is deleted from inside');
is($node->safe_psql('postgres', q{SELECT (SELECT count(*) FROM comments), (SELECT count(*) FROM invitations), (SELECT count(*) FROM memberships), (SELECT count(*) FROM users)}),
	'0|0|1|2', 'with all that belongs to it, and the users stay');

# The administrator
my $support = session('support');
is(told($support, 'SELECT name FROM users ORDER BY 1'), "Ada\nBob", 'the administrator sees all, without a context');
is(told($support, "UPDATE organizations SET name = 'Nuts' RETURNING name"), 'Nuts', 'and changes it');
like(told($two, 'SET ROLE support'), qr/^ERROR:  permission denied to set role/, 'a customer does not become one');
$_->quit for $one, $two, $support;

$node->safe_psql('postgres', "SELECT dbkit.confine_sql('customer') \\gexec");
is($node->safe_psql('postgres', 'SELECT rule, object_identity FROM dbkit.check()'), '', 'and, with the customers confined, no rule is broken');
done_testing();
