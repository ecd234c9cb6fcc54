\set id random(1, 500)
SELECT dbkit.try_lock('job ' || :id);
