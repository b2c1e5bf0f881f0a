"""Subscriptions to alerts, what their webhooks are signed with, and what was delivered; who may subscribe."""

import catalog.ids
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from catalog.roles import grant


def give(apps, schema_editor):
    grant(apps)


class Migration(migrations.Migration):

    dependencies = [
        ('curation', '0020_packets'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Subscription',
            fields=[
                ('id', models.UUIDField(default=catalog.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('name', models.CharField(max_length=100)),
                ('criteria', models.JSONField(blank=True, default=dict, help_text='Which alerts: declared values, `Criteria`.')),
                ('destination', models.CharField(choices=[('webhook', 'Webhook'), ('slack', 'Slack'), ('email', 'E-mail')], max_length=8)),
                ('address', models.CharField(help_text='Of a webhook or of Slack a URL; the latter is a secret.', max_length=500)),
                ('until', models.DateTimeField(blank=True, help_text='Nothing that is published later is sent.', null=True)),
                ('is_active', models.BooleanField(default=True, help_text='Paused if not: nothing is sent, and nothing is passed over.')),
                ('stopped_reason', models.TextField(blank=True, help_text='Why the system paused it; empty where a person did.')),
                ('ended_at', models.DateTimeField(blank=True, null=True)),
                ('place', models.BigIntegerField(default=0, help_text='Number of the last publication that was looked at.')),
                ('failures', models.PositiveIntegerField(default=0, help_text='Of the receiver, one after the other.')),
                ('resting_until', models.DateTimeField(blank=True, help_text='The receiver is not asked before.', null=True)),
                ('owner', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='subscriptions', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='SigningSecret',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('secret', models.CharField(max_length=100)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('valid_until', models.DateTimeField(blank=True, help_text='Null: until another one is made.', null=True)),
                ('subscription', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='secrets', to='curation.subscription')),
            ],
            options={
                'ordering': ['-id'],
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='Delivery',
            fields=[
                ('id', models.UUIDField(default=catalog.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('status', models.CharField(choices=[('waiting', 'Waiting'), ('sent', 'sent, without a receipt'), ('delivered', 'Delivered'), ('failed', 'failed, will be tried again'), ('dead', 'given up')], default='waiting', max_length=10)),
                ('attempts', models.PositiveIntegerField(default=0, help_text='Tries that were begun.')),
                ('most_attempts', models.PositiveIntegerField(default=10, help_text='The try after which it is dead.')),
                ('next_try_at', models.DateTimeField(blank=True, null=True)),
                ('expires_at', models.DateTimeField(help_text='It is dead if it has not arrived by then.')),
                ('last_code', models.PositiveSmallIntegerField(blank=True, help_text='HTTP status of the last answer.', null=True)),
                ('last_reason', models.TextField(blank=True, help_text='What the last try came to, if it did not arrive.')),
                ('first_try_at', models.DateTimeField(blank=True, null=True)),
                ('last_try_at', models.DateTimeField(blank=True, null=True)),
                ('delivered_at', models.DateTimeField(blank=True, help_text='When it was acknowledged, or sent by e-mail.', null=True)),
                ('publication', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='deliveries', to='curation.alertpublication')),
                ('subscription', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='deliveries', to='curation.subscription')),
            ],
            options={
                'verbose_name_plural': 'deliveries',
                'ordering': ['-id'],
            },
        ),
        migrations.AddIndex(
            model_name='subscription',
            index=models.Index(condition=models.Q(('is_active', True)), fields=['place'], name='subscription_at_work'),
        ),
        migrations.AddConstraint(
            model_name='subscription',
            constraint=models.CheckConstraint(condition=models.Q(('destination__in', ['webhook', 'slack', 'email'])), name='curation_subscription_destination_known', violation_error_message='destination must be one of webhook, slack, email.'),
        ),
        migrations.AddConstraint(
            model_name='subscription',
            constraint=models.CheckConstraint(condition=models.Q(('place__gte', 0)), name='curation_subscription_place_least', violation_error_message='place must be at least 0.'),
        ),
        migrations.AddConstraint(
            model_name='subscription',
            constraint=models.UniqueConstraint(condition=models.Q(('ended_at__isnull', True)), fields=('owner', 'name'), name='curation_subscription_name_once'),
        ),
        migrations.AddConstraint(
            model_name='subscription',
            constraint=models.CheckConstraint(condition=models.Q(('ended_at__isnull', True), ('is_active', False), _connector='OR'), name='curation_subscription_ended_is_inactive', violation_error_message='An ended subscription is not active.'),
        ),
        migrations.AddConstraint(
            model_name='signingsecret',
            constraint=models.UniqueConstraint(condition=models.Q(('valid_until__isnull', True)), fields=('subscription',), name='curation_signingsecret_one_current'),
        ),
        migrations.AddIndex(
            model_name='delivery',
            index=models.Index(condition=models.Q(('status__in', ['waiting', 'failed'])), fields=['subscription', 'next_try_at', 'id'], name='delivery_due'),
        ),
        migrations.AddIndex(
            model_name='delivery',
            index=models.Index(fields=['subscription', '-id'], name='delivery_of_subscription'),
        ),
        migrations.AddIndex(
            model_name='delivery',
            index=models.Index(fields=['status', '-id'], name='delivery_by_status'),
        ),
        migrations.AddIndex(
            model_name='delivery',
            index=models.Index(condition=models.Q(('delivered_at__isnull', False)), fields=['-delivered_at'], name='delivery_arrived'),
        ),
        migrations.AddConstraint(
            model_name='delivery',
            constraint=models.CheckConstraint(condition=models.Q(('status__in', ['waiting', 'sent', 'delivered', 'failed', 'dead'])), name='curation_delivery_status_known', violation_error_message='status must be one of waiting, sent, delivered, failed, dead.'),
        ),
        migrations.AddConstraint(
            model_name='delivery',
            constraint=models.UniqueConstraint(fields=('subscription', 'publication'), name='curation_delivery_once'),
        ),
        migrations.AddConstraint(
            model_name='delivery',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('status__in', ['delivered', 'sent']), _negated=True), ('delivered_at__isnull', False), _connector='OR'), name='curation_delivery_arrived_at', violation_error_message='What was delivered has a time of that.'),
        ),
        migrations.RunPython(give, migrations.RunPython.noop),
    ]
