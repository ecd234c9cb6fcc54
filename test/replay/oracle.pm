# What the oracle finds in a database: see oracle.sql.

package replay::oracle;

use strict;
use warnings;
use File::Basename qw(dirname);
use JSON::PP;

# Of two findings about one object, the second says what the first has said already, and
# dbkit reports one for one cause: whatever they are about, or about the same column.
my @implied = (
	[ 'object', primary_key => qw(id_default id_check id_prefix) ],
	[ 'object', rls_enabled => qw(rls_policy rls_forced) ],
	[ 'object', updated_at => 'updated_at_trigger' ],
	[ 'object', id_default => 'id_prefix' ],
	[ 'object', id_check => 'id_prefix' ],
	[ 'column', primary_key => qw(bigint text_id) ],
	[ 'column', created_at => 'timestamptz' ],
	[ 'column', updated_at => 'timestamptz' ],
	[ 'column', bigint => qw(text_id extid) ],
	[ 'column', text_id => qw(bigint extid) ],
	[ 'column', extid => qw(bigint text_id) ]);

# The rules that the oracle knows are those that its text names.
sub new
{
	my ($class, $agreement, @exemptions) = @_;
	my $text = do { local (@ARGV, $/) = dirname(__FILE__) . '/oracle.sql'; <> };
	my $literal = "'" . $agreement =~ s/'/''/gr . "'";
	my $self = { agreement => JSON::PP->new->decode($agreement), exemptions => [ map { [ like($_->[0]), $_->[1] ] } @exemptions ] };

	$text =~ s/^\s*--.*\n//gm;
	$self->{known} = { map { $_ => 1 } $text =~ /'(\w+)'/g };
	$self->{query} = $text =~ s/AGREEMENT/$literal/r;
	return bless $self, $class;
}

# Turn a name, or a pattern of LIKE, which has a %, into a regular expression.
sub like
{
	my ($pattern) = @_;
	return qr/^\Q$pattern\E$/s if $pattern !~ /%/;
	my $expression = $pattern =~ s{\\(.)|(%)|(_)|([^\\])}{ defined $1 ? quotemeta $1 : $2 ? '.*' : $3 ? '.' : quotemeta $4 }gesr;
	return qr/^$expression$/s;
}

sub knows
{
	my ($self, $rule) = @_;
	return $self->{known}{$rule};
}

# The level of a rule for the objects of a schema.
sub level
{
	my ($self, $rule, $schema) = @_;
	my $own = ($self->{agreement}{schemas}{$schema} // {})->{rules} // {};
	return $own->{$rule} // $own->{'*'} // $self->{agreement}{rules}{$rule} // 'off';
}

sub is_exempt
{
	my ($self, $finding) = @_;
	return grep { ($_->[1] eq '*' || $_->[1] eq $finding->{rule}) && $finding->{object} =~ $_->[0] } @{ $self->{exemptions} };
}

# Return the findings of rules at level error.
sub findings
{
	my ($self, $session) = @_;
	my @found;

	for ($session->rows($self->{query}))
	{
		my ($rule, $oid, $what, $schema, $name, $column) = @$_;
		next if $self->level($rule, $schema) !~ /^(?:error|fix)$/;
		my $finding = { rule => $rule, oid => $oid, what => $what, object => "$schema.$name", column => $column };
		push @found, $finding if !$self->is_exempt($finding);
	}
	return \@found;
}

sub known_by
{
	my ($finding, @fields) = @_;
	return join "\0", map { $_ // '' } @{$finding}{ 'rule', @fields };
}

# Return those of the second findings that the first do not have.
sub without
{
	my ($before, $after, @fields) = @_;
	my %count;

	$count{ known_by($_, @fields) }++ for @$before;
	return grep { ($count{ known_by($_, @fields) } // 0) <= 0 || $count{ known_by($_, @fields) }-- <= 0 } @$after;
}

# Return the findings that were not there before, neither by number, as what was renamed
# is known, nor by name, as what was dropped and made again.
sub new_ones
{
	my ($before, $after) = @_;
	my @new = without($before, $after, qw(oid what));
	my %there = map { $_->{oid} => 1 } @$before;
	my @gone = without($after, $before, qw(oid what));

	return (grep { $there{ $_->{oid} } } @new), without(\@gone, [ grep { !$there{ $_->{oid} } } @new ], qw(object column));
}

sub is_same_column
{
	my ($one, $other) = @_;
	return defined $one->{column} && defined $other->{column} && $one->{column} eq $other->{column};
}

# Is what dbkit has said of an object this finding?  There is one for each object of what
# has no number within it, and not all that has one is named by a column.
sub is_said
{
	my ($finding, $said) = @_;
	return $said->{rule} eq $finding->{rule} && $said->{object} eq $finding->{object}
	  && ($finding->{what} eq '' || !defined $finding->{column} || !defined $said->{column} || is_same_column($finding, $said));
}

# Is it implied by another one?
sub is_implied
{
	my ($finding, @others) = @_;

	for my $other (grep { $_->{object} eq $finding->{object} } @others)
	{
		return 1 if grep {
			my ($about, $rule, @further) = @$_;
			$other->{rule} eq $rule && (grep { $_ eq $finding->{rule} } @further) && ($about eq 'object' || is_same_column($other, $finding))
		} @implied;
	}
	return 0;
}

1;
