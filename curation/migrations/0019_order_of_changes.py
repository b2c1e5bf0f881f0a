"""Who keeps a copy of a list asks for what changed since: in an order that an index carries."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('curation', '0018_injected_sources'),
        ('detection', '0019_anomaly_and_disagreement'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='alert',
            index=models.Index(fields=['updated_at', 'id'], name='alert_changed'),
        ),
    ]
