"""Who keeps a copy of a list asks for what changed since: in an order that an index carries."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('detection', '0019_anomaly_and_disagreement'),
        ('differencing', '0011_imported_alerts'),
        ('observations', '0009_order_of_changes'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='detection',
            index=models.Index(fields=['updated_at', 'id'], name='detection_changed'),
        ),
        migrations.AddIndex(
            model_name='source',
            index=models.Index(fields=['updated_at', 'id'], name='source_changed'),
        ),
    ]
