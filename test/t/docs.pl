# The documentation shows what happens: the blocks of a page run in order, in a database of the
# page's own, and a block of text is what the block before it prints.
#
#   ```sql     runs in the page's one session of psql
#   ```sh      runs from that session, in a directory of the page's own
#   ```text    is what the last block printed; without one it may print no error or warning.
#              A line "…" stands for any lines.  Ids and times may be others, and the empty
#              results of functions that return nothing are left out.
#
# What an example needs and nobody has to read stands in a comment of the page.  The database has
# dbkit, unless the page creates the extension itself.  A block that cannot run says why in its
# first line: "-- not run here: REASON".  The pages of rules are those of rule_pages.pl.
#
# DOCS_ACTUAL   a directory to which the pages that are wrong are written as they should be

use strict;
use warnings;

use File::Basename;
use File::Find;
use File::Path;
use FindBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $tree = "$FindBin::Bin/../..";
my $not_run_expected = 12;
my $nothing = qr/^ +(?:enter|protect|unprotect|exempt|lock|run_as|sign_up) *\n-+\n *\n\(1 row\)\n\n/m;
my $fence = qr/^```(\w*)[^\n]*\n(.*?)^```$/ms;

my @pages = ('README.md');
find({ no_chdir => 1, wanted => sub { push @pages, s{^\Q$tree\E/}{}r if m{\.md$} && !m{/(?:rules|node_modules|\.vitepress)/} } }, "$tree/docs");

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', "session_preload_libraries = 'dbkit'\nmax_prepared_transactions = 5\ntimezone = 'UTC'");
$node->start;
my @databases = sort split /\n/, $node->safe_psql('postgres', 'SELECT datname FROM pg_database');
my $directory = PostgreSQL::Test::Utils::tempdir;
$ENV{PGHOST} = $node->host;
$ENV{PGPORT} = $node->port;
$ENV{PATH} = "$tree:$ENV{PATH}";

# What differs each time
sub masked
{
	my ($text) = @_;
	$text =~ s/\b([a-z_]+)_[0-9a-hjkmnp-tv-z]{26}\b/$1_ID/g;
	$text =~ s/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)?(?:\+00)?/TIME/g;
	$text =~ s/[ \t]+/ /g;
	$text =~ s/-{2,}/--/g;
	$text =~ s/^ | $//mg;
	return $text =~ s/\n+\z//r;
}

# Is this what the page shows?
sub as_shown
{
	my ($shown, $printed) = @_;
	my $pattern = join '(?:\n.*)?', map { quotemeta } split /\n…(?=\n|\z)/, "\n" . masked($shown), -1;
	return ("\n" . masked($printed)) =~ /\A$pattern\z/s;
}

# Return the blocks of a page: language, text, and where the next block of text is what it prints.
sub blocks
{
	my ($page) = @_;
	my @blocks;
	while ($page =~ /$fence/g)
	{
		my ($language, $text) = ($1, $2);
		if ($language eq 'text' && @blocks)
		{
			$blocks[-1]{shown} = $text;
			next;
		}
		push @blocks, { language => $language, text => $text, reason => $text =~ /\A(?:--|#) not run here: (.+)/ ? $1 : undef };
	}
	return @blocks;
}

# Run the blocks in one session of psql; note what each prints.
sub run_blocks
{
	my ($database, @blocks) = @_;
	my $work = "$directory/$database";
	mkdir $work;
	my $script = '';
	for my $i (0 .. $#blocks)
	{
		$script .= "\\echo == block $i\n";
		$script .= $blocks[$i]{text} if $blocks[$i]{language} eq 'sql';
		next if $blocks[$i]{language} ne 'sh';
		append_to_file("$work.$i.sh", $blocks[$i]{text});
		$script .= "\\! bash $work.$i.sh < /dev/null 2>&1 || echo 'ERROR: it failed'\n";
	}
	append_to_file("$work.sql", "\\pset pager off\n$script\\echo == block end\n");
	local $ENV{PGDATABASE} = $database;
	local $ENV{DATABASE_URL} = "postgresql:///$database?host=$ENV{PGHOST}&port=$ENV{PGPORT}";
	my $printed = `cd '$work' && psql -qX < '$work.sql' 2>&1`;
	my %printed = $printed =~ /^== block (\d+)\n(.*?)(?=^== block )/msg;
	$blocks[$_]{printed} = ($printed{$_} // "psql ended before this\n") =~ s/$nothing//gr =~ s/[ \t]+$//mgr for 0 .. $#blocks;
}

# Return how the page has to read.
sub as_it_happens
{
	my ($page, @blocks) = @_;
	my $block;
	$page =~ s{$fence}{
		my ($whole, $language) = ($&, $1);
		$block = shift @blocks if $language ne 'text' || !defined $block;
		$language eq 'text' && $block->{wrong} ? "```text\n$block->{printed}```" : $whole}ge;
	return $page;
}

sub drop_all
{
	my @others = grep { my $name = $_; !grep { $_ eq $name } @databases } split /\n/, $node->safe_psql('postgres', 'SELECT datname FROM pg_database');
	$node->safe_psql('postgres', qq{DROP DATABASE "$_" (FORCE)}) for @others;
	$node->safe_psql('postgres', qq{DROP ROLE "$_"}) for split /\n/, $node->safe_psql('postgres', 'SELECT rolname FROM pg_roles WHERE oid >= 16384');
}

# Is what the block printed what the page shows, or at least no error?
sub check_block
{
	my ($file, $block) = @_;
	my ($first_line) = $block->{text} =~ /^(.+)$/m;
	$block->{wrong} = defined $block->{shown} ? !as_shown($block->{shown}, $block->{printed})
	  : $block->{printed} =~ /^(?:ERROR|FATAL|WARNING|psql ended|.*: error:)/m;
	ok(!$block->{wrong}, "$file: $first_line")
	  or diag("printed:\n$block->{printed}" . (defined $block->{shown} ? "the page shows:\n$block->{shown}" : ''));
}

sub write_as_it_happens
{
	my ($file, $page, @blocks) = @_;
	return unless $ENV{DOCS_ACTUAL} && grep { $_->{wrong} } @blocks;
	mkpath(dirname("$ENV{DOCS_ACTUAL}/$file"));
	append_to_file("$ENV{DOCS_ACTUAL}/$file", as_it_happens($page, @blocks));
}

# Return the extensions that the page creates and this server does not have.
sub missing_extensions
{
	my ($page) = @_;
	return grep { !$node->safe_psql('postgres', "SELECT 1 FROM pg_available_extensions WHERE name = '$_'") } $page =~ /^CREATE EXTENSION (\w+)/mg;
}

sub try_page
{
	my ($file, $page, @all) = @_;
	my @blocks = grep { $_->{language} =~ /^(?:sql|sh)$/ && !$_->{reason} } @all;
	my $database = basename($file, '.md') =~ tr/-A-Z/_a-z/r;
	my @missing = missing_extensions($page);
  SKIP:
	{
		skip("$file: this server has no @missing", 1) if @missing;
		$node->safe_psql('postgres', "CREATE DATABASE $database");
		$node->safe_psql($database, 'CREATE EXTENSION dbkit') unless $page =~ /^CREATE EXTENSION dbkit/m;
		run_blocks($database, @blocks);
		check_block($file, $_) for @blocks;
		write_as_it_happens($file, $page, @all);
		drop_all();
	}
}

my @not_run;
for my $file (@pages)
{
	my $page = slurp_file("$tree/$file");
	my @blocks = blocks($page);
	is_deeply([ grep { $_->{language} eq '' } @blocks ], [], "$file: each block says its language");
	push @not_run, map { "$file: $_->{reason}" } grep { $_->{reason} } @blocks;
	try_page($file, $page, @blocks);
}
is(@not_run, $not_run_expected, 'blocks that are not run') or diag(join "\n", @not_run);

$node->stop;
done_testing();
