-- behaves differently: the name is taken
CREATE FUNCTION updated_at() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE SEQUENCE numbers;
