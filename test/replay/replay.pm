# One history on two servers side by side: without dbkit, and with dbkit from its adoption on.

package replay::replay;

use strict;
use warnings;
use replay::oracle;
use replay::session;

# Statements after which the oracle need not be asked again
my $harmless = qr/^(?:INSERT|UPDATE|DELETE|MERGE|SELECT|WITH|SET|RESET|SHOW|COPY|GRANT|REVOKE|TRUNCATE|LOCK|ANALYZE|VACUUM|NOTIFY)\b(?!.*\bINTO\s+\w)(?!\s*\()/is;

sub new
{
	my ($class, %servers) = @_;
	return bless {
		servers => \%servers,
		count => { statements => 0, plain => 0, with => 0 },
		found => { map { $_ => [] } qw(errors refused besides through differences) },
	}, $class;
}

# Open new sessions on both servers, as a release would.
sub connect_anew
{
	my ($self) = @_;
	$self->{$_} = replay::session->new(%{ $self->{servers}{$_} }) for keys %{ $self->{servers} };
}

sub note
{
	my ($self, $kind, @words) = @_;
	push @{ $self->{found}{$kind} }, join ' ', "$self->{file}:", @words;
}

# The start of a statement, to show which one it is.
sub start_of
{
	my ($statement) = @_;
	my $start = $statement->{start} =~ s/\s+/ /gr;
	return length $start > 100 ? substr($start, 0, 100) . ' ...' : $start;
}

# Adopt dbkit, and have the oracle hold the history against the same agreement.
sub adopt
{
	my ($self, $adoption) = @_;

	$self->connect_anew;
	$self->{with}->rows($adoption);
	$self->connect_anew;
	my $session = $self->{with};
	$self->{agreement} = $session->value('SELECT dbkit.agreement()');
	$self->{oracle} = replay::oracle->new($self->{agreement}, $session->rows('SELECT object, rule FROM dbkit.exemption'));
	$self->{before} = $self->{oracle}->findings($self->{plain});
}

# The findings that an error or warning of dbkit lists: a line of DETAIL for each.
sub said_in
{
	my ($fields) = @_;
	my @said;
	my $kind = qr/table|view|type|function|materialized view|index|[a-z ]+/;
	my ($only) = ($fields->{M} // '') =~ /^$kind "(.+?)" breaks /;

	for (split /\n/, $fields->{D} // '')
	{
		my ($object, $rule, $problem) = /^(?:$kind "(.+?)": )?(\w+): (.*)$/ or next;
		my ($column) = $problem =~ /\bcolumn "([^"]+)"/;
		push @said, { rule => $rule, object => $object // $only // '', column => $column, problem => $problem };
	}
	return @said;
}

sub is_refusal
{
	my ($result) = @_;
	return $result->{error} && $result->{error}{C} eq 'KD001';
}

# Remember what dbkit has said in the transaction, refusing or warning.
sub listen
{
	my ($self, $unit, $result) = @_;
	push @{ $unit->{said} }, map { said_in($_) } grep { ($_->{C} // '') eq 'KD001' } @{ $result->{warnings} }, $result->{error} // ();
}

# Run a statement with dbkit, and return what came of it.
sub run_with
{
	my ($self, $unit, $statement) = @_;
	my $result = $self->{with}->query($statement->{sql}, $statement->{copy});
	$self->listen($unit, $result);
	return $result;
}

# Begin a transaction with dbkit, overriding it if it has refused something of it before.
sub begin_with
{
	my ($self, $unit) = @_;
	$self->{with}->rows($unit->{begin}) if $unit->{begin};
	$self->{with}->rows(($unit->{begin} ? 'SET LOCAL' : 'SET') . " dbkit.enforce = warning") if $unit->{overridden};
}

# Judge a refusal: each finding in it is one that the oracle has now and not before.
sub refuse
{
	my ($self, $unit, $error, $where) = @_;
	my $now = $self->{oracle}->findings($self->{plain});
	my @new = replay::oracle::new_ones($self->{before}, $now);
	my @said = said_in($error);
	my (@founded, @others);

	for my $said (@said)
	{
		my $is_founded = grep { replay::oracle::is_said($_, $said) } @new;
		push @{ $is_founded ? \@founded : \@others }, "$said->{rule} of $said->{object}: $said->{problem}"
		  . ($self->{oracle}->knows($said->{rule}) ? '' : ' (the oracle does not know the rule)');
	}
	$self->note(refused => "$where:", join '; ', @founded) if @founded;
	$self->note(besides => "$where: $_") for @founded ? @others : ();
	push @{ $self->{found}{refused} }, "unfounded: $self->{file}: $where: " . join '; ', @others ? @others : $error->{M} if !@founded;
}

# Say how the outcomes of a statement differ.
sub compare
{
	my ($self, $statement, $plain, $with) = @_;
	my ($without_dbkit, $with_dbkit) = map { $_->{error} ? "$_->{error}{C} $_->{error}{M}" : join ', ', @{ $_->{tags} } } $plain, $with;
	$self->note(differences => start_of($statement), "gives \"$with_dbkit\" instead of \"$without_dbkit\"") if $without_dbkit ne $with_dbkit;
}

# Run the statements up to and with the nth again, in a new transaction that overrides
# dbkit.  If that does not help, the transaction goes on without dbkit's server.
sub override
{
	my ($self, $unit, $n) = @_;
	my $result;

	$self->{with}->rows('ROLLBACK') if $unit->{begin};
	$unit->{overridden} = 1;
	$self->begin_with($unit);
	for my $statement (@{ $unit->{statements} }[ ($unit->{begin} ? 0 : $n) .. $n ])
	{
		$result = $self->run_with($unit, $statement);
		$unit->{broken} ||= $result->{error};
	}
	$self->{with}->rows('RESET dbkit.enforce') if !$unit->{begin};
	return $result;
}

# Run a statement with dbkit, as it ran without.  What it refuses and what it fails at is
# run again.
sub follow
{
	my ($self, $unit, $n, $plain) = @_;
	my $statement = $unit->{statements}[$n];
	my $with = $self->run_with($unit, $statement);

	$unit->{with} += $with->{seconds};
	if ($self->{oracle} && is_refusal($with))
	{
		$self->refuse($unit, $with->{error}, start_of($statement));
		$with = $self->override($unit, $n);
	}
	$self->compare($statement, $plain, $with);
	$self->override($unit, $n) if $self->{oracle} && $with->{error} && !$unit->{broken};
}

# Run a transaction on both servers.  Return the number of the statement that fails without
# dbkit, if one does.
sub run_statements
{
	my ($self, $unit) = @_;
	my @statements = @{ $unit->{statements} };

	for my $n (0 .. $#statements)
	{
		my $plain = $self->{plain}->query($statements[$n]{sql}, $statements[$n]{copy});
		if ($plain->{error})
		{
			$self->note(errors => start_of($statements[$n]), "fails: $plain->{error}{C} $plain->{error}{M}");
			return $n;
		}
		$unit->{plain} += $plain->{seconds};
		$self->follow($unit, $n, $plain) if !$unit->{broken};
	}
	return;
}

# End a transaction on both servers; dbkit may refuse it then.
sub commit
{
	my ($self, $unit) = @_;
	my $with = $self->{with}->query($unit->{broken} ? 'ROLLBACK' : 'COMMIT');

	$self->listen($unit, $with);
	$unit->{with} += $with->{seconds};
	if ($self->{oracle} && is_refusal($with))
	{
		$self->refuse($unit, $with->{error}, 'COMMIT');
		$self->override($unit, $#{ $unit->{statements} });
		$with = $self->{with}->query('COMMIT');
		$self->listen($unit, $with);
	}
	my $plain = $self->{plain}->query('COMMIT');
	$unit->{plain} += $plain->{seconds};
	$self->note(errors => "COMMIT fails: $plain->{error}{C} $plain->{error}{M}") if $plain->{error};
	$self->compare({ start => 'COMMIT' }, $plain, $with) if !$unit->{broken};
}

# Note what a transaction has added to the oracle's findings and dbkit has let through.
sub let_through
{
	my ($self, $unit) = @_;
	return if !grep { $_->{start} !~ $harmless } @{ $unit->{statements} };
	my $after = $self->{oracle}->findings($self->{plain});
	my @new = replay::oracle::new_ones($self->{before}, $after);

	$self->{before} = $after;
	# What dbkit would have said while it was off nobody knows
	my %seen;
	for my $finding (@new)
	{
		next if $seen{ join ' ', map { $_ // '' } @{$finding}{qw(rule object column)} }++;
		next if grep { replay::oracle::is_said($finding, $_) } @{ $unit->{said} };
		next if replay::oracle::is_implied($finding, @$after);
		$self->note(through => "$finding->{rule} of $finding->{object}", defined $finding->{column} ? "column $finding->{column}" : ());
	}
}

# Run a transaction until none of its statements fails without dbkit: those are left out.
sub run_what_works
{
	my ($self, $unit) = @_;
	my $found = $self->{found};
	my %noted = map { $_ => scalar @{ $found->{$_} } } qw(refused besides differences);

	while (@{ $unit->{statements} })
	{
		@{$unit}{qw(plain with said overridden broken)} = (0, 0, []);
		$self->{plain}->rows($unit->{begin}) if $unit->{begin};
		$self->begin_with($unit);
		my $failed = $self->run_statements($unit);
		return 1 if !defined $failed;
		splice @{ $unit->{statements} }, $failed, 1;
		$self->{$_}->rows('ROLLBACK') for $unit->{begin} ? qw(plain with) : ();
		splice @{ $found->{$_} }, $noted{$_} for keys %noted;
	}
	return 0;
}

# Run one transaction.
sub transaction
{
	my ($self, $unit) = @_;

	$self->run_what_works($unit) or return;
	$self->commit($unit) if $unit->{begin};
	$self->{count}{statements} += @{ $unit->{statements} };
	return if !$self->{oracle};
	$self->let_through($unit);
	$self->{count}{$_} += $unit->{$_} for qw(plain with);
}

# Run the transactions of a file, as if it were released by itself.
sub file
{
	my ($self, $file) = @_;

	$self->{file} = $file->{name};
	$self->connect_anew;
	$self->transaction($_) for @{ $file->{transactions} };
}

# Count the tables without dbkit.
sub tables
{
	my ($self) = @_;
	return $self->{plain}->value(q{SELECT count(*) FROM pg_catalog.pg_class WHERE relkind IN ('r', 'p') AND relnamespace::regnamespace::text !~ '^(pg_|information_schema)'});
}

# Take dbkit out again, with the agreement, which is no member of the extension.
sub leave
{
	my ($self) = @_;
	return if !$self->{oracle};
	$self->connect_anew;
	my $schema = $self->{with}->value(q{SELECT pg_catalog.quote_ident(extnamespace::regnamespace::text) FROM pg_catalog.pg_extension WHERE extname = 'dbkit'});
	$self->{with}->rows("DROP EXTENSION dbkit; DROP FUNCTION IF EXISTS $schema.dbkit_agreement()");
}

1;
