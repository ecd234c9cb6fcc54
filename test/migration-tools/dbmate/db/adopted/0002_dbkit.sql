-- migrate:up
CREATE EXTENSION dbkit;
SELECT dbkit.agree('{"preset": "minimal", "schemas": {"legacy": {"rules": {"*": "off"}}}, "rules": {"primary_key": "off"}}');
SELECT dbkit.exempt('public.imports', '*', 'loaded from outside');
SELECT dbkit.baseline();

-- migrate:down
SELECT 1;
