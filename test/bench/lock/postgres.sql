\set id random(1, 500)
SELECT pg_try_advisory_xact_lock(hashtextextended('job ' || :id, 0));
