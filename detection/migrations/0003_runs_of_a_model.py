from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("detection", "0002_orders_of_lists")]

    operations = [
        migrations.AddIndex(
            model_name="modelrun",
            index=models.Index(fields=["model", "-created_at"], name="modelrun_of_model"),
        ),
    ]
