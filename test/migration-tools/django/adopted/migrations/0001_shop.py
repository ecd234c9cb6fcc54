import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    operations = [
        migrations.CreateModel(
            name="Customer",
            fields=[
                ("id", models.BigAutoField(primary_key=True)),
                ("name", models.TextField()),
            ],
            options={"db_table": "customers"},
        ),
        migrations.CreateModel(
            name="Order",
            fields=[
                ("id", models.BigAutoField(primary_key=True)),
                ("customer", models.ForeignKey("adopted.Customer", django.db.models.deletion.CASCADE, db_index=False)),
                ("shipped_at", models.DateTimeField(null=True)),
            ],
            options={"db_table": "orders"},
        ),
        migrations.RunSQL("ALTER TABLE orders ADD packed_at timestamp; CREATE TABLE imports (line int); CREATE SCHEMA legacy"),
    ]
