# Do what a page says, block by block, in the current directory:
#
#   a block behind a line that ends in `FILE`:   becomes that file, of whatever language
#   ```bash   runs, and must end well
#   ```sql    runs in psql, likewise
#   ```text   is what the block before it printed; a line "…" stands for any lines, and "…"
#             in a line for anything
#
# Other blocks are for readers.  Prints TAP, and ends what the commands have left running.
#
#   run.pl PAGE.md

use strict;
use warnings;
use open qw(:std :utf8);
use utf8;

use File::Basename;
use File::Path;

setpgrp;
END { local $SIG{TERM} = 'IGNORE'; kill TERM => -$$ }

my ($path) = @ARGV;
my ($name) = $path =~ m{([^/]+)\.md$};
my %command = (bash => 'bash -eo pipefail', sql => 'psql -qX -v ON_ERROR_STOP=1 -f');

open my $handle, '<', $path or die "$path: $!\n";
my $page = do { local $/; <$handle> };
my @blocks;
while ($page =~ /(?:`([\w.\/-]+)`:\n\n)?^```(\w+)\n(.*?)^```$/msg)
{
	my ($file, $language, $text) = ($1, $2, $3);
	if ($language eq 'text') { $blocks[-1]{shown} = $text if @blocks }
	else { push @blocks, { file => $file, language => $language, text => $text } }
}

# Is this what the page shows?
sub as_shown
{
	my ($shown, $printed) = map { s/[ \t]+/ /gr =~ s/-{2,}/--/gr =~ s/^ | $//mgr =~ s/\n+\z//r } @_;
	my $pattern = join '(?:\n.*)?', map { join '.*', map { quotemeta } split /…/, $_, -1 } split /\n…(?=\n|\z)/, "\n$shown", -1;
	return "\n$printed" =~ /\A$pattern\z/s;
}

for my $block (@blocks)
{
	my ($language, $text) = @$block{qw(language text)};
	my $script = $block->{file} // ".recipe.$language";
	next if !$block->{file} && !$command{$language};
	mkpath(dirname($script));
	open my $out, '>', $script or die "$script: $!\n";
	print $out $text;
	close $out;
	next if $block->{file};

	my $printed = `$command{$language} $script 2>&1 < /dev/null`;
	utf8::decode($printed);
	my $well = $? == 0 && (!defined $block->{shown} || as_shown($block->{shown}, $printed));
	my ($first) = $text =~ /^([^\n]*)/;
	print $well ? 'ok' : 'not ok', " - $name: $first\n";
	print "# status $?\n", $printed =~ s/^/# /mgr if !$well;
}
