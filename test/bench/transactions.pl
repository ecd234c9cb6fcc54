# What dbkit adds to transactions that change no table: pgbench's simple update, in
# sessions that have loaded dbkit and in sessions that have not.

use strict;
use warnings;

return sub {
	my ($with) = @_;
	my $count = int(20_000 * $with->{scale}) || 10;
	my $pgbench = sub {
		my ($name, $options) = @_;
		return {
			name => $name,
			sql => qq{\\! PGOPTIONS='-c synchronous_commit=off $options' pgbench -n -b simple-update -M prepared -t $count dbkit > /dev/null 2>&1},
		};
	};
	return {
		setup => [ [ 'dbkit', q{\! PGOPTIONS='-c dbkit.enforce=off' pgbench -i -q dbkit > /dev/null 2>&1} ] ],
		cases => [ {
			what => 'a transaction of pgbench without DDL',
			unit => 'us',
			count => $count,
			repeat => 3,
			dbkit => $pgbench->('dbkit loaded', '-c session_preload_libraries=dbkit'),
			peers => [ { %{ $pgbench->('not loaded', '') }, aim => 1.01 } ],
		} ],
	};
};
