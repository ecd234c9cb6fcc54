# Compare two long texts, for tests in Perl.

package Comparing;

use strict;
use warnings;
use Exporter qw(import);
use Test::More;

our @EXPORT_OK = qw(same);

# Compare two texts, and show only where they differ.
sub same
{
	my ($got, $expected, $name) = @_;
	my %expected = map { $_ => 1 } split /\n/, $expected;
	my %got = map { $_ => 1 } split /\n/, $got;

	ok($got eq $expected, $name) and return;
	diag("lacks: $_") for grep { !$got{$_} } split /\n/, $expected;
	diag("has: $_") for grep { !$expected{$_} } split /\n/, $got;
}

1;
