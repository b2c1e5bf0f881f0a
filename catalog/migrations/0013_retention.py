"""Which files retention removed, how far it has come, and who may see that."""

import catalog.ids
from django.db import migrations, models

from catalog.roles import grant


def give(apps, schema_editor):
    grant(apps)


class Migration(migrations.Migration):

    dependencies = [
        ('catalog', '0012_people'),
    ]

    operations = [
        migrations.CreateModel(
            name='RetentionPass',
            fields=[
                ('id', models.UUIDField(default=catalog.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('rule', models.CharField(max_length=64, unique=True)),
                ('begun_at', models.DateTimeField()),
                ('ended_at', models.DateTimeField(blank=True, help_text='Null while it is at work.', null=True)),
                ('reached', models.UUIDField(blank=True, help_text='Key of the last row that was looked at.', null=True)),
                ('removed_count', models.PositiveBigIntegerField(default=0, help_text='Rows or files that it removed.')),
                ('removed_bytes', models.PositiveBigIntegerField(default=0)),
            ],
            options={
                'verbose_name': 'pass of retention',
                'verbose_name_plural': 'retention',
                'ordering': ['rule'],
            },
        ),
        migrations.CreateModel(
            name='RemovedFile',
            fields=[
                ('id', models.UUIDField(default=catalog.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('entity_type', models.CharField(help_text='Kind of the row whose files they were.', max_length=32)),
                ('entity_id', models.UUIDField(help_text='Its key.')),
                ('kept_days', models.PositiveIntegerField(help_text='How long they were to be kept.')),
                ('size_bytes', models.PositiveBigIntegerField(blank=True, help_text='Of all of them; null if unknown.', null=True)),
                ('removed_at', models.DateTimeField(blank=True, help_text='Null while they are being removed.', null=True)),
            ],
            options={
                'ordering': ['-id'],
                'indexes': [models.Index(condition=models.Q(('removed_at__isnull', True)), fields=['entity_type'], name='removedfile_begun')],
                'constraints': [models.UniqueConstraint(fields=('entity_type', 'entity_id'), name='catalog_removedfile_once')],
            },
        ),
        migrations.RunPython(give, migrations.RunPython.noop),
    ]
