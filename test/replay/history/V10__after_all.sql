INSERT INTO notes VALUES (1, 1, now()), (2, 2, now());
SELECT total(1), size_of(20);
