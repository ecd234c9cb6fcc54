SELECT id, status FROM orders WHERE false;
