CREATE FUNCTION first(text) RETURNS text LANGUAGE plpgsql AS $body$
BEGIN
  RETURN substr($1, 1, 1); -- ; 100%
END $body$;
CREATE INDEX customers_é ON customers (name)