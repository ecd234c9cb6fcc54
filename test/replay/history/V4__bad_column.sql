-- refused
ALTER TABLE orders ADD shipped timestamp;
