# What one id costs, net of the loop around it.

package bench::ids;

use strict;
use warnings;

# A TypeID in PL/pgSQL, with all 26 characters taken from the bytes of a UUIDv7
# in one expression, the fastest that language does it.
sub plpgsql_typeid
{
	my @characters;
	for my $place (0 .. 25)
	{
		my $bit = 5 * $place - 2;    # the first character has three bits
		my ($byte, $within) = (int($bit / 8), $bit % 8);
		my $value =
		    $bit < 0 ? 'get_byte(bytes, 0) >> 5'
		  : $within <= 3 ? sprintf('get_byte(bytes, %d) >> %d', $byte, 3 - $within)
		  : sprintf('(get_byte(bytes, %d) << 8 | get_byte(bytes, %d)) >> %d', $byte, $byte + 1, 11 - $within);
		push @characters, "substr(alphabet, 1 + (($value) & 31), 1)";
	}
	my $text = join "\n\t\t\t|| ", @characters;
	return <<~SQL;
	CREATE FUNCTION plpgsql_typeid(prefix text) RETURNS text LANGUAGE plpgsql AS \$\$
	DECLARE
		alphabet CONSTANT text := '0123456789abcdefghjkmnpqrstvwxyz';
		milliseconds bigint := extract(epoch FROM clock_timestamp()) * 1000;
		bytes bytea := substring(int8send(milliseconds) FROM 3) || substring(uuid_send(gen_random_uuid()) FROM 7);
	BEGIN
		bytes := set_byte(bytes, 6, get_byte(bytes, 6) & 15 | 112);
		RETURN prefix || '_' || $text;
	END \$\$;
	DO \$\$ BEGIN ASSERT dbkit.is_id(plpgsql_typeid('usr'), 'usr'); END \$\$;
	SQL
}

# A loop that assigns a value of a type.
sub variant
{
	my ($name, $type, $value, $count, @more) = @_;
	return {
		name => $name,
		sql => "DO \$\$ DECLARE id $type; BEGIN FOR i IN 1..$count LOOP id := $value; END LOOP; END \$\$",
		@more
	};
}

return sub {
	my ($scale) = @_;
	my $count = int(10_000 * $scale) || 1;
	return {
		setup => [ [ 'dbkit', plpgsql_typeid() ] ],
		cases => [
			{
				what => 'one id',
				unit => 'ns',
				count => $count,
				repeat => 11,
				baseline => variant('empty loop', 'text', q{'usr'}, $count),
				dbkit => variant('generate_id()', 'text', q{generate_id('usr')}, $count),
				peers => [
					variant('gen_random_uuid()', 'uuid', 'gen_random_uuid()', $count, aim => 1 / 7),
					variant('gen_random_uuid()::text', 'text', 'gen_random_uuid()::text', $count),
					variant('TypeID in PL/pgSQL', 'text', q{plpgsql_typeid('usr')}, $count),
				],
			},
		],
	};
};
