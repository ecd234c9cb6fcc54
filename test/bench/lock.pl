# A named lock in a transaction of its own, against an advisory lock on a hash of
# the name, through pgbench.

use strict;
use warnings;

return sub {
	my ($with) = @_;
	my $count = int(40_000 * $with->{scale}) || 16;
	my @cases;
	for my $clients (1, 16)
	{
		my $transactions = int($count / $clients) || 1;
		my $pgbench = sub {
			my ($name, $script) = @_;
			return {
				name => $name,
				sql => "\\! pgbench -n -c $clients -j 2 -t $transactions -f $with->{directory}/lock/$script.sql dbkit > /dev/null 2>&1",
			};
		};
		push @cases, {
			what => "dbkit.try_lock(), a transaction of $clients " . ($clients == 1 ? 'client' : 'clients'),
			unit => 'us',
			count => $transactions * $clients,
			dbkit => $pgbench->('dbkit.try_lock()', 'dbkit'),
			peers => [ { %{ $pgbench->('pg_try_advisory_xact_lock(hashtextextended())', 'postgres') }, aim => 1.1 } ],
		};
	}
	return { setup => [], cases => \@cases };
};
