# An application of a database: the queries that it asks, and the answers that it gets.

package fixes::application;

use strict;
use warnings;
use replay::session;

# The application's own role, the owner of the tables, and one that may read views alone
our @roles = qw(app owner reader);

# Collect the queries for a database: those of queries.sql, and the INSERTs that are given,
# each with its table.
sub new
{
	my ($class, $session, $queries, @insertions) = @_;
	my @asked;

	for ($session->rows($queries))
	{
		my %query;
		@query{qw(roles name tables sql afterwards is_query)} = @$_;
		$query{tables} = [ list($query{tables}) ];
		$query{is_query} = $query{is_query} eq 't';
		push @asked, map { { %query, as => $_ } } list($query{roles});
	}
	push @asked, map { { as => 'app', name => "INSERT into $_->[0]", tables => [ $_->[0] ], sql => $_->[1] } } @insertions;
	return bless { queries => \@asked }, $class;
}

# Split an array of names as PostgreSQL writes it.
sub list
{
	my ($array) = @_;
	my @items;

	return if !defined $array;
	push @items, ($1 // $2) =~ s/\\(.)/$1/gr while $array =~ /\G[{,](?:"((?:[^"\\]|\\.)*)"|([^",}]+))/gc;
	return @items;
}

# Say what came of a statement, rows in no order.
sub outcome
{
	my ($result) = @_;
	return "error $result->{error}{C} $result->{error}{M}" if $result->{error};
	my @rows = sort map { join "\t", map { $_ // '\N' } @$_ } @{ $result->{rows} };
	return join "\n", join(', ', @{ $result->{tags} }), 'types ' . join(', ', @{ $result->{types} }), @rows;
}

# Open the sessions of the roles.
sub connect_to
{
	my (%to) = @_;
	my %session = map { $_ => replay::session->new(%to, user => "dbkit_$_") } @roles;
	$_->rows("SET statement_timeout = '10s'") for values %session;
	return \%session;
}

# Ask everything, in transactions that are rolled back, and return the answers.
sub ask
{
	my ($self, $sessions) = @_;
	my @answers;

	for my $query (@{ $self->{queries} })
	{
		my $session = $sessions->{ $query->{as} };
		$session->rows('BEGIN');
		my $result = $session->query($query->{sql});
		my @outcomes = outcome($result);
		push @outcomes, outcome($session->query($query->{afterwards})) if $query->{afterwards} && !$result->{error};
		$session->query('ROLLBACK');
		push @answers, join "\n", @outcomes;
	}
	return \@answers;
}

# Leave out what has not the same answer each time; return how many.
sub leave_out_changing
{
	my ($self, @answers) = @_;
	my @same = grep { $answers[0][$_] eq $answers[1][$_] } 0 .. $#{ $self->{queries} };
	my $left_out = @{ $self->{queries} } - @same;

	$self->{queries} = [ @{ $self->{queries} }[@same] ];
	$self->{expected} = [ @{ $answers[0] }[@same] ];
	return $left_out;
}

# Prepare what is a query, as an application does that stays connected.
sub prepare
{
	my ($self, $sessions) = @_;
	my $n = 0;

	for (@{ $self->{queries} })
	{
		$n++;
		$sessions->{ $_->{as} }->query("PREPARE dbkit_$n AS $_->{sql}; EXECUTE dbkit_$n") if $_->{is_query};
	}
}

# Ask what is prepared.
sub execute
{
	my ($self, $sessions) = @_;
	my $n = 0;
	return [ map { $n++; $_->{is_query} && outcome($sessions->{ $_->{as} }->query("EXECUTE dbkit_$n")) } @{ $self->{queries} } ];
}

# The first line in which two answers differ, as "this instead of that".
sub first_difference
{
	my ($expected, $answer) = @_;
	my @expected = split /\n/, $expected;
	my @answer = split /\n/, $answer;

	shift @expected, shift @answer while @expected && @answer && $expected[0] eq $answer[0];
	return sprintf '"%s" instead of "%s"', map { substr $_ // '', 0, 150 } $answer[0], $expected[0];
}

# An error is known by its code: constraints may have other names.
sub without_message
{
	return $_[0] =~ s/^(error \w+) .*/$1/smr;
}

# Return what is answered differently than at first.  What is prepared and refused counts
# where it is not different anyway.
sub differences
{
	my ($self, $answers, $prepared) = @_;
	my @found;

	for my $n (0 .. $#{ $self->{queries} })
	{
		my ($query, $expected) = ($self->{queries}[$n], $self->{expected}[$n]);
		my %difference = (tables => $query->{tables}, name => "$query->{name} as $query->{as}");
		if (without_message($answers->[$n]) ne without_message($expected))
		{
			push @found, { %difference, how => first_difference($expected, $answers->[$n]) };
		}
		elsif ($query->{is_query} && without_message($prepared->[$n]) ne without_message($expected))
		{
			push @found, { %difference, how => 'prepared before, it gives ' . first_difference($expected, $prepared->[$n]) };
		}
	}
	return @found;
}

1;
