-- refused, as a whole
CREATE TABLE notes (id bigint PRIMARY KEY, about bigint REFERENCES orders, at timestamp);
CREATE TABLE pages (id bigint PRIMARY KEY, number smallint);
CREATE INDEX ON notes (about);
