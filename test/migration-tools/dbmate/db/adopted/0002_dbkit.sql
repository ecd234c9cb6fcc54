-- migrate:up
CREATE EXTENSION dbkit;
SELECT dbkit.agree('{"preset": "minimal", "schemas": {"legacy": {"rules": {"*": "off"}}}}');
SELECT dbkit.exempt('public.imports', '*', 'loaded from outside');
SELECT dbkit.baseline();

-- migrate:down
SELECT 1;
