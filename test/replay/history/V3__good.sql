-- +goose Up
ALTER TABLE customers ADD email text;
UPDATE customers SET email = name || '@example.com';
CREATE INDEX customers_email ON customers (email);

-- +goose Down
ALTER TABLE customers DROP email;
