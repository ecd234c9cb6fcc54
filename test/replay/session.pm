# A session that sees what an application sees: the command tags, the fields of errors and
# warnings, and the time each message took.  PostgreSQL's protocol, version 3, simple
# queries alone (the manual's chapter "Frontend/Backend Protocol"), over a local socket.

package replay::session;

use strict;
use warnings;
use IO::Socket::UNIX;
use Time::HiRes qw(time);

# Connect without a password.
sub new
{
	my ($class, %to) = @_;
	my $path = "$to{host}/.s.PGSQL.$to{port}";
	my $socket = IO::Socket::UNIX->new($path) or die "$path: $!\n";
	my $self = bless { socket => $socket }, $class;
	my $startup = pack 'N(Z*)*x', 196608, user => $to{user}, database => $to{database}, client_encoding => 'UTF8';

	$self->put(pack('N', 4 + length $startup) . $startup);
	my $result = $self->results;
	die "$path: $result->{error}{M}\n" if $result->{error};
	return $self;
}

sub put
{
	my ($self, $bytes) = @_;
	local $SIG{PIPE} = 'IGNORE';
	print { $self->{socket} } $bytes;
	$self->{socket}->flush;
}

sub get
{
	my ($self, $length) = @_;
	my $bytes = '';
	return '' if !$length;
	(read $self->{socket}, $bytes, $length) or die "the server ended the session\n";
	return $bytes;
}

sub send_message
{
	my ($self, $type, $body) = @_;
	$self->put($type . pack('N', 4 + length $body) . $body);
}

# Split an ErrorResponse or NoticeResponse into its fields.
sub fields
{
	my ($body) = @_;
	return { map { substr($_, 0, 1) => substr($_, 1) } grep { $_ ne '' } split /\0/, $body };
}

# Split a DataRow into its values.
sub values_of
{
	my ($body) = @_;
	my @values;
	my $position = 2;

	for (1 .. unpack 'n', $body)
	{
		my $length = unpack 'l>', substr $body, $position, 4;
		push @values, $length < 0 ? undef : substr $body, $position + 4, $length;
		$position += 4 + ($length < 0 ? 0 : $length);
	}
	return \@values;
}

# Split a RowDescription into the types of its columns.
sub types_of
{
	my ($body) = @_;
	my ($count, @fields) = unpack 'n(Z*NnNnNn)*', $body;
	return map { $fields[ 7 * $_ + 3 ] } 0 .. $count - 1;
}

# Read what the server says until it is ready for the next query.
sub results
{
	my ($self, $copy) = @_;
	my $result = { tags => [], rows => [], types => [], warnings => [] };
	my %take = (
		C => sub { push @{ $result->{tags} }, $_[0] =~ s/\0//r },
		D => sub { push @{ $result->{rows} }, values_of($_[0]) },
		T => sub { push @{ $result->{types} }, types_of($_[0]) },
		E => sub { $result->{error} = fields($_[0]) },
		N => sub { push @{ $result->{warnings} }, fields($_[0]) },
		G => sub {
			$self->send_message('d', $copy // '');
			$self->send_message('c', '');
		},
		R => sub { die "the server asks for a password\n" if unpack 'N', $_[0] });

	while (1)
	{
		my ($type, $length) = unpack 'aN', $self->get(5);
		my $body = $self->get($length - 4);
		$take{$type}->($body) if $take{$type};
		return $result if $type eq 'Z' || ($type eq 'E' && $result->{error}{S} eq 'FATAL');
	}
}

# Run a query (or several); $copy is what a COPY in it reads.
sub query
{
	my ($self, $sql, $copy) = @_;
	my $start = time;

	$self->send_message('Q', "$sql\0");
	my $result = $self->results($copy);
	$result->{seconds} = time - $start;
	return $result;
}

# Run what has to work, and return its rows.
sub rows
{
	my ($self, $sql) = @_;
	my $result = $self->query($sql);
	die join("\n", grep { defined } @{ $result->{error} }{qw(M D H)}) . "\nin " . substr($sql, 0, 200) . "\n" if $result->{error};
	return @{ $result->{rows} };
}

# Run what has to work, and return its one value.
sub value
{
	my ($row) = rows(@_);
	return $row && $row->[0];
}

1;
