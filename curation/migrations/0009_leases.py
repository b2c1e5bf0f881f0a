"""Who looks at which detection just now; those who run the system see it."""

import catalog.ids
import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

from catalog.roles import grant


def show(apps, schema_editor):
    grant(apps)


class Migration(migrations.Migration):

    dependencies = [
        ('catalog', '0004_roles'),
        ('curation', '0008_latest_judgements'),
        ('detection', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Lease',
            fields=[
                ('id', models.UUIDField(default=catalog.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('window', models.UUIDField(help_text="Made by the browser's page: two windows of one person differ.")),
                ('expires_at', models.DateTimeField(help_text="By the database's clock.")),
                ('seen_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), help_text='When the window last said that it is open.')),
                ('detection', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='lease', to='detection.detection')),
                ('holder', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='leases', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['expires_at', 'id'],
                'indexes': [models.Index(fields=['expires_at'], name='lease_expiring'), models.Index(fields=['holder', 'window'], name='lease_of_window')],
            },
        ),
        migrations.RunPython(show, migrations.RunPython.noop),
    ]
