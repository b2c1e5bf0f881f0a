"""Who keeps a copy of a list asks for what changed since: in an order that an index carries."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('observations', '0008_imported_alerts'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='observation',
            index=models.Index(fields=['updated_at', 'id'], name='observation_changed'),
        ),
    ]
