"""Tokens of programs, and what the roles may do since there is a REST interface."""

import catalog.ids
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from catalog.roles import grant


def give_new_permissions(apps, schema_editor):
    grant(apps)


class Migration(migrations.Migration):

    dependencies = [
        ('catalog', '0004_roles'),
    ]

    operations = [
        migrations.CreateModel(
            name='ApiToken',
            fields=[
                ('id', models.UUIDField(default=catalog.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('name', models.CharField(help_text='What it is for.', max_length=100)),
                ('prefix', models.CharField(help_text='How it begins: it is looked up by this.', max_length=24, unique=True)),
                ('digest', models.CharField(help_text='SHA-256 of the whole.', max_length=64)),
                ('scopes', models.JSONField(default=list)),
                ('expires_at', models.DateTimeField()),
                ('revoked_at', models.DateTimeField(blank=True, null=True)),
                ('last_used_at', models.DateTimeField(blank=True, help_text='To the minute.', null=True)),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='api_tokens', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.RunPython(give_new_permissions, migrations.RunPython.noop),
    ]
