DROP INDEX customers_é;
DROP FUNCTION first;


