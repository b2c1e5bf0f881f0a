"""Several people: what their answers weigh, conflicts, what experts know, examples of labels, and who experts are."""

import catalog.ids
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from catalog.roles import grant


def give(apps, schema_editor):
    grant(apps)


class Migration(migrations.Migration):

    dependencies = [
        ('catalog', '0004_roles'),
        ('curation', '0015_notes'),
        ('detection', '0008_known_objects'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Conflict',
            fields=[
                ('id', models.UUIDField(default=catalog.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('updated_at', models.DateTimeField(auto_now=True)),
            ],
            options={
                'ordering': ['created_at', 'id'],
            },
        ),
        migrations.CreateModel(
            name='GoldAnswer',
            fields=[
                ('id', models.UUIDField(default=catalog.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('window', models.UUIDField(help_text='Where it was given last.')),
                ('after', models.UUIDField(blank=True, help_text='The detection before it in the queue.', null=True)),
                ('event', models.UUIDField(blank=True, help_text='The key that the browser gave the answer.', null=True)),
                ('is_valid', models.BooleanField(blank=True, help_text='Null until it is answered.', null=True)),
                ('label', models.CharField(blank=True, max_length=64)),
                ('confidence_level', models.CharField(blank=True, choices=[('low', 'Low'), ('medium', 'Medium'), ('high', 'High'), ('expert', 'Expert')], max_length=8)),
                ('answered_at', models.DateTimeField(blank=True, null=True)),
            ],
            options={
                'ordering': ['-created_at', '-id'],
            },
        ),
        migrations.CreateModel(
            name='GoldItem',
            fields=[
                ('id', models.UUIDField(default=catalog.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('is_valid', models.BooleanField(help_text='What it is known to be.')),
                ('label', models.CharField(blank=True, max_length=64)),
                ('is_active', models.BooleanField(default=True, help_text='Whether people are asked about it.')),
            ],
            options={
                'ordering': ['-created_at', '-id'],
            },
        ),
        migrations.CreateModel(
            name='LabelExample',
            fields=[
                ('id', models.UUIDField(default=catalog.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('updated_at', models.DateTimeField(auto_now=True)),
            ],
            options={
                'ordering': ['-created_at', '-id'],
            },
        ),
        migrations.AddField(
            model_name='validationevent',
            name='settles',
            field=models.BooleanField(default=False, help_text='Whether an expert ended a conflict of others with it.'),
        ),
        migrations.AddField(
            model_name='validationevent',
            name='weight',
            field=models.FloatField(default=1.0, help_text="How much its person's answers counted when it was given."),
        ),
        migrations.AddConstraint(
            model_name='validationevent',
            constraint=models.CheckConstraint(condition=models.Q(('weight__gt', 0.0), ('weight__lt', float("inf"))), name='curation_validationevent_weight_positive', violation_error_message='weight must be a number above 0.'),
        ),
        migrations.AddField(
            model_name='conflict',
            name='detection',
            field=models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='conflict', to='detection.detection'),
        ),
        migrations.AddField(
            model_name='goldanswer',
            name='person',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='gold_answers', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='golditem',
            name='detection',
            field=models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='gold', to='detection.detection'),
        ),
        migrations.AddField(
            model_name='golditem',
            name='marked_by',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='gold_items', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='goldanswer',
            name='item',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='answers', to='curation.golditem'),
        ),
        migrations.AddField(
            model_name='labelexample',
            name='chosen_by',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='examples', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='labelexample',
            name='detection',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='examples', to='detection.detection'),
        ),
        migrations.AddField(
            model_name='labelexample',
            name='label',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='examples', to='curation.labeldefinition'),
        ),
        migrations.AddConstraint(
            model_name='goldanswer',
            constraint=models.UniqueConstraint(fields=('item', 'person'), name='curation_goldanswer_once'),
        ),
        migrations.AddConstraint(
            model_name='goldanswer',
            constraint=models.CheckConstraint(condition=models.Q(('confidence_level__in', ['', 'low', 'medium', 'high', 'expert'])), name='curation_goldanswer_confidence_level_known', violation_error_message='confidence_level must be one of low, medium, high, expert.'),
        ),
        migrations.AddConstraint(
            model_name='labelexample',
            constraint=models.UniqueConstraint(fields=('label', 'detection'), name='curation_labelexample_once'),
        ),
        migrations.RunPython(give, migrations.RunPython.noop),
    ]
