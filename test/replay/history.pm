# A directory of migrations as a list of transactions.

package replay::history;

use strict;
use warnings;
use File::Basename qw(dirname);
use File::Find qw(find);

# How the tools say that a file is not to be one transaction
my $without_transaction = qr/^--\s*(?:\+goose\s+NO\s+TRANSACTION|no-transaction|migrate:up\s.*transaction:false|atlas:txmode\s+none|disable_ddl_transaction)/mi;

# Statements that do not run in a transaction block
my $alone = qr/^(?:(?:CREATE|DROP)\s+(?:UNIQUE\s+)?INDEX\s+CONCURRENTLY|REINDEX\b.*\bCONCURRENTLY|DROP\s+DATABASE|CREATE\s+DATABASE|VACUUM|ALTER\s+SYSTEM|ALTER\s+TABLE\b.*\bDETACH\s+PARTITION\b.*\bCONCURRENTLY)\b/is;

# Where the way back begins in files that have both
my $down = qr/^--\s*(?:\+goose\s+Down|migrate:down|\+migrate\s+Down)\b.*/msi;

sub slurp
{
	my ($path) = @_;
	open my $file, '<:raw', $path or die "$path: $!\n";
	local $/;
	return <$file> // '';
}

# Make the numbers of versions compare as numbers (2, 10), and times, also as
# 2017-08-31-230457, by their digits from the left.
sub sort_key
{
	return lc($_[0]) =~ s/(?<=\d)-(?=\d)//gr =~ s/(\d+)/length $1 < 8 ? sprintf '%030s', $1 : $1 . '0' x (30 - length $1)/ger;
}

# Return the paths of the files that lead upwards, in order.
sub files
{
	my ($directory) = @_;
	my @found;

	find({ no_chdir => 1, wanted => sub { push @found, substr $_, 1 + length $directory if -f && /\.sql$/i } }, $directory);
	return sort { sort_key($a) cmp sort_key($b) } grep { !m{(?:^|[/._-])(?:down|undo|revert|rollback)\.sql$}i && !m{(?:^|/)U[\d._]+__} } @found;
}

my $comment = qr{(?<comment>/\*(?:[^*/]++|\*(?!/)|/(?!\*)|(?&comment))*+\*/)};
my $token = qr{
	\s++ | --[^\n]*+ | $comment
	| (?<word>[A-Za-z_\x80-\xff][\w\$\x80-\xff]*+(?!'))
	| [eE]'(?:[^'\\]++|\\.|'')*+'
	| (?:[A-Za-z_]\w*+&?)?'(?:[^']++|'')*+'
	| "(?:[^"]++|"")*+"
	| (?<tag>\$(?:[A-Za-z_\x80-\xff][\w\x80-\xff]*+)?\$).*?\g{tag}
	| \d[\w.]*+
	| .
}xs;

# What a word or sign adds to the depth in which a semicolon ends no statement.  Between
# BEGIN ATOMIC and END there is CASE, with an END of its own.
sub depth_of
{
	my ($sign, $before, $in_body) = @_;
	return 1 if $sign eq '(' || $sign eq '[';
	return -1 if $sign eq ')' || $sign eq ']';
	return 1 if $sign eq 'ATOMIC' && $before eq 'BEGIN';
	return 0 if !$in_body;
	return $sign eq 'CASE' ? 1 : $sign eq 'END' ? -1 : 0;
}

# Split SQL into its statements: text, and the data of a COPY.  Commands of psql are left out.
sub statements
{
	my ($sql) = @_;
	my (@found, $depth, $in_body, $before);
	my $text = '';
	my $finish = sub {
		my $statement = { sql => $text =~ s/^\s+|\s+$//gr };
		$statement->{start} = $statement->{sql} =~ s/^(?:\s+|--[^\n]*\n?|$comment)+//r;
		if ($statement->{start} =~ /^COPY\b.*\bFROM\s+STDIN\b/is && $sql =~ /\G[^\n]*\n(.*?)^\\\.$/gcms)
		{
			$statement->{copy} = $1;
		}
		push @found, $statement if $statement->{start} ne '';
		($text, $depth, $in_body, $before) = ('', 0, 0, '');
	};

	$finish->();
	while ((pos($sql) // 0) < length $sql)
	{
		next if $text =~ /^\s*$/ && $sql =~ /\G\\[^\n]*\n?/gc;
		$sql =~ /\G$token/gc or last;
		my $piece = $&;
		my $sign = defined $+{word} ? uc $piece : $piece;
		if ($sign eq ';' && !$depth)
		{
			$finish->();
			next;
		}
		$text .= $piece;
		next if $piece =~ /^(?:\s|--|\/\*)/;
		$depth += depth_of($sign, $before, $in_body);
		$in_body ||= $sign eq 'ATOMIC' && $before eq 'BEGIN';
		$before = $sign;
	}
	$finish->();
	return @found;
}

# Does the file say that it is no transaction, or the tool's settings beside it?
sub runs_without_transaction
{
	my ($path, $sql) = @_;
	my $settings = dirname($path) . '/metadata.toml';
	return $sql =~ $without_transaction || (-e $settings && slurp($settings) =~ /^run_in_transaction\s*=\s*false/m);
}

# Cut statements into transactions by what they say themselves.
sub own_transactions
{
	my @found;
	my $open;

	for (@_)
	{
		if ($_->{start} =~ /^(?:BEGIN|START\s+TRANSACTION)\b/i)
		{
			push @found, $open = { begin => $_->{sql}, statements => [] };
		}
		elsif ($_->{start} =~ /^(?:COMMIT|END)\b/i)
		{
			undef $open;
		}
		else
		{
			push @found, { statements => [] } if !$open;
			push @{ $found[-1]{statements} }, $_;
		}
	}
	return grep { @{ $_->{statements} } } @found;
}

# Return the transactions of a file: how it begins, if it does, and its statements.
sub transactions
{
	my ($path, $unit) = @_;
	my $sql = slurp($path) =~ s/\A\xef\xbb\xbf//r =~ s/$down//r;
	my @statements = statements($sql);

	return own_transactions(@statements)
	  if $unit eq 'statement' || @statements < 2 || runs_without_transaction($path, $sql)
	  || grep { $_->{start} =~ /^(?:BEGIN|START\s+TRANSACTION|COMMIT|END|ROLLBACK)\b/i || $_->{start} =~ $alone } @statements;
	return { begin => 'BEGIN', statements => \@statements };
}

# Return the files of a directory, each with its transactions.
sub read_history
{
	my ($directory, $unit) = @_;
	return map { { name => $_, transactions => [ transactions("$directory/$_", $unit) ] } } files($directory);
}

# Run a transaction in a session, without the statements that fail, and return these.
sub run_what_works
{
	my ($session, $unit) = @_;
	my @statements = @{ $unit->{statements} };
	my @failed;

	while (@statements)
	{
		my $failed;
		$session->rows($unit->{begin}) if $unit->{begin};
		for my $n (0 .. $#statements)
		{
			my $error = $session->query($statements[$n]{sql}, $statements[$n]{copy})->{error} or next;
			push @failed, "$error->{C} $error->{M}: $statements[$n]{start}";
			$failed = $n;
			last;
		}
		$session->query($unit->{begin} ? defined $failed ? 'ROLLBACK' : 'COMMIT' : 'SELECT');
		last if !defined $failed;
		splice @statements, $unit->{begin} ? $failed : 0, $unit->{begin} ? 1 : $failed + 1;
	}
	return @failed;
}

1;
