from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("adopted", "0001_shop")]
    operations = [
        migrations.RunSQL(
            """
            CREATE EXTENSION IF NOT EXISTS dbkit;
            SELECT dbkit.agree('{"preset": "django", "schemas": {"legacy": {"rules": {"*": "off"}}}}');
            SELECT dbkit.exempt('public.imports', '*', 'loaded from outside');
            SELECT dbkit.baseline();
            """
        )
    ]
