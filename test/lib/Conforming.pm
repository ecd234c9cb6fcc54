# The table that keeps all rules, for tests written in Perl.  sql/include/tables.psql
# has the same for those written in SQL.

package Conforming;

use strict;
use warnings;
use Exporter qw(import);

our @EXPORT_OK = qw(columns table_sql good_table);

# Give the columns that every table has to have.
sub columns
{
	my ($prefix) = @_;
	return qq{id text COLLATE "C" PRIMARY KEY DEFAULT generate_id('$prefix') CHECK (id LIKE '${prefix}_%'), }
	  . 'created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now(), storytime jsonb';
}

# Give CREATE TABLE of a table that keeps the rules of phase statement, with further columns.
sub table_sql
{
	my ($name, $prefix, $more) = @_;
	return "CREATE TABLE $name (" . columns($prefix) . ($more ? ", $more" : '') . ')';
}

# Give the statements of a table that keeps all rules.
sub good_table
{
	my ($name, $prefix, $more) = @_;
	return (
		table_sql($name, $prefix, $more),
		"CREATE TRIGGER updated_at BEFORE UPDATE ON $name FOR EACH ROW EXECUTE FUNCTION updated_at()",
		"ALTER TABLE $name ENABLE ROW LEVEL SECURITY",
		"CREATE POLICY own ON $name USING (id = current_user) WITH CHECK (id = current_user)");
}

1;
