-- Comments that mean something in one format or another, on the objects of objects.sql.
SET dbkit.enforce = off;
CREATE TABLE "a.b""<&>".awkward (number integer PRIMARY KEY, "PK" integer UNIQUE REFERENCES "a.b""<&>".awkward, "__proto__" integer, "constructor" integer, " " text, "``" text);
CREATE TABLE "a.b""<&>"." " ("一" integer REFERENCES "a.b""<&>".awkward);
CREATE TABLE "a.b""<&>"."%%{init: {}}%%" (number integer REFERENCES "a.b""<&>".awkward, "1" varchar(3)[], "-" timestamp(0) without time zone);
CREATE TABLE "a.b""<&>"."* *b* __c__ _d_ #35; " (one integer, "one " integer, "fk" integer, number integer REFERENCES "a.b""<&>".awkward);

DO LANGUAGE plpgsql $$
DECLARE
	comments text[] := ARRAY['no', 'Yes', 'NULL', '~', '', '12', '1e3', '0x1F', '0o7', '1_000', '12:30:45', '.inf', '.NaN', '2024-01-01', '=', '<<', '-', '---', '...', '- a', '? a', 'a: b', 'a:b', 'a:', ': a', 'a #b', 'a#b', '#a',
		' a', 'a ', '   ', '[a]', '{a: b}', '"a"', '''a''', 'it''s', '\', '\n', '%a', '%%{init: {}}%%', '@a', '`a`', '!a', '&a', '*a', '|', '>', '| a', ',', 'a, b', E'a\tb', E'\ta', E'one\ntwo', E'one\n\n\n  two: three\n# four\n---\n...', E'one\n', E'one\n\n', E'\none',
		E'\n', E' one\ntwo', E'one \ntwo', E'one\n \ntwo', E'one\n\ttwo', E'one\r\ntwo', E'\r', E'\u0001\u001b[31m', E'\u007f', E'\u0085', E'a\u0085b', E'\u00a0', E'\u200b', E'\u2028', E'a\u2029b', E'\u202eabc', E'\ufeff', E'\ufffe\uffff', E'\ud7ff\ue000\U0010ffff',
		'😀 Größe 表', E'表\n表', '<b>&amp;</b>', '</svg><script>', '*a* **b** __c__ _d_ a_b_c ~~e~~ $f$ [g](h) ![i](j) <br> http://k.example', '1. a', '# a', '> a', '+ a', 'a | b', repeat('long ', 400), repeat('x', 3000)];
BEGIN
	FOR i IN 1 .. array_length(comments, 1) LOOP
		EXECUTE format('ALTER TABLE "a.b""<&>".awkward ADD %I integer; COMMENT ON COLUMN "a.b""<&>".awkward.%1$I IS %L', 'c' || i, comments[i]);
		EXECUTE format('CREATE TABLE "a.b""<&>".%I (); COMMENT ON TABLE "a.b""<&>".%1$I IS %L', 't' || i, comments[i]);
	END LOOP;
END $$;
