DROP FUNCTION size_of, total;
