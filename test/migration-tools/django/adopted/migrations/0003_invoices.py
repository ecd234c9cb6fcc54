import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("adopted", "0002_dbkit")]
    operations = [
        migrations.CreateModel(
            name="Invoice",
            fields=[
                ("id", models.BigAutoField(primary_key=True)),
                ("order", models.ForeignKey("adopted.Order", django.db.models.deletion.CASCADE)),
                ("due_at", models.DateTimeField()),
            ],
            options={"db_table": "invoices"},
        ),
        migrations.RunSQL("SET LOCAL dbkit.enforce = off; CREATE TABLE overlooked (id bigserial PRIMARY KEY, at timestamp)"),
    ]
