# What one id costs, net of the loop around it.

package bench::ids;

use strict;
use warnings;

# A TypeID in PL/pgSQL, as those that are about do it: a function for the UUIDv7,
# one for the 26 characters, and one that puts the two together.
my $typeid = <<~'SQL';
	CREATE FUNCTION typeid_uuid() RETURNS bytea LANGUAGE plpgsql AS $$
	DECLARE
		milliseconds bigint := floor(extract(epoch FROM clock_timestamp()) * 1000);
		bytes bytea := uuid_send(gen_random_uuid());
	BEGIN
		bytes := overlay(bytes PLACING substring(int8send(milliseconds) FROM 3) FROM 1 FOR 6);
		RETURN set_bit(set_bit(bytes, 52, 1), 53, 1);    -- version 4 becomes 7
	END $$;
	CREATE FUNCTION typeid_characters(bytes bytea) RETURNS text LANGUAGE plpgsql AS $$
	DECLARE
		alphabet CONSTANT text := '0123456789abcdefghjkmnpqrstvwxyz';
		padded CONSTANT bit(130) := '00' || ('x' || encode(bytes, 'hex'))::bit(128);
		characters text := '';
	BEGIN
		FOR i IN 0..25 LOOP
			characters := characters || substr(alphabet, 1 + substring(padded FROM 5 * i + 1 FOR 5)::int, 1);
		END LOOP;
		RETURN characters;
	END $$;
	CREATE FUNCTION typeid(prefix text) RETURNS text LANGUAGE plpgsql AS $$
	BEGIN
		IF prefix !~ '^([a-z]([a-z_]{0,61}[a-z])?)?$' THEN
			RAISE 'invalid prefix: %', prefix;
		END IF;
		RETURN prefix || '_' || typeid_characters(typeid_uuid());
	END $$;
	DO $$ BEGIN
		ASSERT dbkit.is_id(typeid('usr'), 'usr');
		ASSERT dbkit.id_timestamp(typeid('usr')) BETWEEN now() - interval '1 s' AND clock_timestamp();
	END $$
	SQL

# The same as one expression over the bytes, the fastest that language does it.
sub typeid_in_one_expression
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
	CREATE FUNCTION typeid_in_one_expression(prefix text) RETURNS text LANGUAGE plpgsql AS \$\$
	DECLARE
		alphabet CONSTANT text := '0123456789abcdefghjkmnpqrstvwxyz';
		milliseconds bigint := floor(extract(epoch FROM clock_timestamp()) * 1000);
		bytes bytea := substring(int8send(milliseconds) FROM 3) || substring(uuid_send(gen_random_uuid()) FROM 7);
	BEGIN
		bytes := set_byte(bytes, 6, get_byte(bytes, 6) & 15 | 112);
		RETURN prefix || '_' || $text;
	END \$\$;
	DO \$\$ BEGIN ASSERT dbkit.is_id(typeid_in_one_expression('usr'), 'usr'); END \$\$;
	SQL
}

# The executor's own loop, as for the default of a column: in PL/pgSQL's, most of
# the time would be what a call of any volatile function takes there.
sub variant
{
	my ($name, $value, $count, @more) = @_;
	return { name => $name, sql => "DO \$\$ BEGIN PERFORM count($value) FROM generate_series(1, $count) n; END \$\$", @more };
}

return sub {
	my ($with) = @_;
	my $count = int(20_000 * $with->{scale}) || 1;
	my $pg_uuidv7 = $with->{available}{pg_uuidv7};
	return {
		setup => [
			[ 'dbkit', $typeid ],
			[ 'dbkit', typeid_in_one_expression() ],
			$pg_uuidv7 ? [ 'dbkit', 'CREATE EXTENSION pg_uuidv7' ] : (),
		],
		cases => [ {
			what => 'one id, net of the loop',
			unit => 'ns',
			count => $count,
			repeat => 5,
			baseline => variant('empty loop', 'n', $count),
			dbkit => variant('generate_id()', q{generate_id('usr')}, $count),
			peers => [
				variant('uuidv7()', 'uuidv7()', $count, aim => 0.15, when => $with->{version} >= 18),
				variant('gen_random_uuid()', 'gen_random_uuid()', $count, aim => 0.15),
				variant('gen_random_uuid()::text', 'gen_random_uuid()::text', $count),
				variant('uuid_generate_v7() of pg_uuidv7', 'uuid_generate_v7()', $count, aim => 0.15, when => $pg_uuidv7),
				variant('TypeID in PL/pgSQL', q{typeid('usr')}, $count, aim => 0.01),
				variant('the same in one expression', q{typeid_in_one_expression('usr')}, $count),
			],
		} ],
	};
};
