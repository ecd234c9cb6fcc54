DROP TABLE orders, status_enum, organizations;
