\set ON_ERROR_STOP 1
CREATE FUNCTION total(customer bigint) RETURNS bigint LANGUAGE plpgsql AS $body$
BEGIN
	/* a ; in a comment /* and one in that; */ */
	RETURN (SELECT sum(amount) FROM orders o WHERE o.customer = total.customer);
END $body$;
CREATE FUNCTION size_of(amount integer) RETURNS text LANGUAGE sql
	BEGIN ATOMIC SELECT CASE WHEN amount > 10 THEN E'it\'s large;' ELSE 'small' END; END;
ALTER TABLE nowhere ADD fails_in_any_case text;
CREATE RULE quiet AS ON DELETE TO orders DO INSTEAD (SELECT 1; SELECT 2);
