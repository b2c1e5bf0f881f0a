"""Doubts about frames are rows, where each fact comes from is kept, and profiles of instruments give or correct it."""

import catalog.ids
import django.db.models.deletion
from django.db import migrations, models

from catalog.roles import grant

# What was noted of a header before: sentences, or keywords beside what was chosen.
REMARKS_BECOME_DOUBTS = """
INSERT INTO observations_doubt (
    id, created_at, updated_at, observation_id, origin, code, fact, keyword, value, message, blocks_publication,
    settled_by, settled_note
)
SELECT gen_random_uuid(), o.created_at, o.created_at, o.id, 'header', 'earlier_remark',
       left(coalesce(remark.one ->> 'what', 'header'), 40), 'remark ' || remark.number, NULL,
       coalesce(remark.one ->> 'sentence', concat(
           remark.one ->> 'what', ': ', remark.one ->> 'chosen', ' was used; ', remark.one ->> 'others')),
       false, '', ''
  FROM observations_observation o,
       jsonb_array_elements(o.header_conflicts) WITH ORDINALITY AS remark(one, number)
"""
DOUBTS_BECOME_REMARKS = """
UPDATE observations_observation o
   SET header_conflicts = known.remarks
  FROM (SELECT observation_id, jsonb_agg(jsonb_build_object('what', fact, 'sentence', message)) AS remarks
          FROM observations_doubt WHERE origin = 'header' GROUP BY observation_id) AS known
 WHERE known.observation_id = o.id
"""


def let_the_roles_read_them(apps, schema_editor):
    grant(apps)


class Migration(migrations.Migration):

    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("catalog", "0010_plain_words"),
        ("contenttypes", "0002_remove_content_type_name"),
        ('observations', '0006_plain_words'),
    ]

    operations = [
        migrations.AddField(
            model_name='calibrationframe',
            name='calibrated',
            field=models.JSONField(blank=True, default=list, help_text='What was taken off before delivery.'),
        ),
        migrations.AddField(
            model_name='calibrationframe',
            name='camera_serial',
            field=models.CharField(blank=True, max_length=64),
        ),
        migrations.AddField(
            model_name='calibrationframe',
            name='gain_setting',
            field=models.CharField(blank=True, help_text='Of the amplifier, as the header writes it.', max_length=32),
        ),
        migrations.AddField(
            model_name='calibrationframe',
            name='given',
            field=models.JSONField(blank=True, default=dict, help_text='What a person gave beside the file.'),
        ),
        migrations.AddField(
            model_name='calibrationframe',
            name='offset_setting',
            field=models.CharField(blank=True, max_length=32),
        ),
        migrations.AddField(
            model_name='calibrationframe',
            name='pixel_unit',
            field=models.CharField(blank=True, help_text='As the header states it.', max_length=16),
        ),
        migrations.AddField(
            model_name='calibrationframe',
            name='window',
            field=models.CharField(blank=True, help_text='First pixel of a part of the detector.', max_length=32),
        ),
        migrations.AddField(
            model_name='observation',
            name='bayer_pattern',
            field=models.CharField(blank=True, help_text='Colours of the first 2 x 2 pixels.', max_length=4),
        ),
        migrations.AddField(
            model_name='observation',
            name='calibrated',
            field=models.JSONField(blank=True, default=list, help_text='What was taken off before delivery.'),
        ),
        migrations.AddField(
            model_name='observation',
            name='camera_serial',
            field=models.CharField(blank=True, max_length=64),
        ),
        migrations.AddField(
            model_name='observation',
            name='facts',
            field=models.JSONField(blank=True, default=dict, help_text='Where each fact comes from: keyword, what it says, how it was read.'),
        ),
        migrations.AddField(
            model_name='observation',
            name='gain_setting',
            field=models.CharField(blank=True, help_text='Of the amplifier, as the header writes it.', max_length=32),
        ),
        migrations.AddField(
            model_name='observation',
            name='given',
            field=models.JSONField(blank=True, default=dict, help_text='What a person gave beside the file.'),
        ),
        migrations.AddField(
            model_name='observation',
            name='offset_setting',
            field=models.CharField(blank=True, max_length=32),
        ),
        migrations.AddField(
            model_name='observation',
            name='pixel_unit',
            field=models.CharField(blank=True, help_text='As the header states it.', max_length=16),
        ),
        migrations.AddField(
            model_name='observation',
            name='read_by_version',
            field=models.PositiveSmallIntegerField(blank=True, help_text='Of the reading of headers; empty: its doubts were never examined.', null=True),
        ),
        migrations.AddField(
            model_name='observation',
            name='window',
            field=models.CharField(blank=True, help_text='First pixel of a part of the detector.', max_length=32),
        ),
        migrations.AlterField(
            model_name='calibrationframe',
            name='gain',
            field=models.FloatField(blank=True, help_text='Electrons per ADU, as the header states it.', null=True),
        ),
        migrations.CreateModel(
            name='InstrumentProfile',
            fields=[
                ('id', models.UUIDField(default=catalog.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('name', models.CharField(max_length=100, unique=True)),
                ('description', models.TextField(blank=True, help_text='How it is known: a manual, a test, a letter.')),
                ('is_active', models.BooleanField(default=True)),
                ('precedence', models.SmallIntegerField(default=0, help_text='Of profiles that fit a frame, the highest counts.')),
                ('matches', models.JSONField(default=dict, help_text='Header keywords and patterns that all must fit: {"INSTRUME": "ZWO*"}.')),
                ('rules', models.JSONField(default=dict, help_text='What it gives; see docs/frames.md for all rules.')),
                ('rules_revision', models.PositiveIntegerField(default=1, editable=False)),
            ],
            options={
                'ordering': ['-precedence', 'name'],
                'constraints': [models.CheckConstraint(condition=models.Q(('rules_revision__gte', 1)), name='observations_instrumentprofile_rules_revision_least', violation_error_message='rules_revision must be at least 1.')],
            },
        ),
        migrations.AddField(
            model_name='observation',
            name='profile',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, to='observations.instrumentprofile'),
        ),
        migrations.CreateModel(
            name='Doubt',
            fields=[
                ('id', models.UUIDField(default=catalog.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('origin', models.CharField(choices=[('header', 'its header'), ('pixels', 'its pixels'), ('sky', 'the stars in it'), ('difference', 'its difference image')], max_length=10)),
                ('code', models.CharField(max_length=40)),
                ('fact', models.CharField(help_text='What is in doubt: time, position, flux, ...', max_length=40)),
                ('keyword', models.CharField(blank=True, help_text='Of the header, where it makes the claim.', max_length=80)),
                ('value', models.JSONField(blank=True, help_text='The number or text that is doubted.', null=True)),
                ('message', models.TextField()),
                ('blocks_publication', models.BooleanField(default=False)),
                ('settled_at', models.DateTimeField(blank=True, null=True)),
                ('settled_by', models.CharField(blank=True, help_text='A person, a profile, or what measured it.', max_length=150)),
                ('settled_note', models.TextField(blank=True)),
                ('observation', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='doubts', to='observations.observation')),
            ],
            options={
                'ordering': ['-blocks_publication', 'origin', 'code', 'id'],
                'indexes': [models.Index(condition=models.Q(('blocks_publication', True), ('settled_at__isnull', True)), fields=['observation'], name='doubt_blocking'), models.Index(fields=['code', '-created_at'], name='doubt_code')],
                'constraints': [models.CheckConstraint(condition=models.Q(('origin__in', ['header', 'pixels', 'sky', 'difference'])), name='observations_doubt_origin_known', violation_error_message='origin must be one of header, pixels, sky, difference.'), models.CheckConstraint(condition=models.Q(models.Q(('settled_at__isnull', True), ('settled_by', '')), models.Q(('settled_at__isnull', False), models.Q(('settled_by', ''), _negated=True)), _connector='OR'), name='observations_doubt_settled_by_somebody', violation_error_message='A doubt that is settled says by whom.'), models.UniqueConstraint(fields=('observation', 'origin', 'code', 'fact', 'keyword'), name='observations_doubt_once')],
            },
        ),
        migrations.RunSQL(REMARKS_BECOME_DOUBTS, DOUBTS_BECOME_REMARKS),
        migrations.RemoveField(
            model_name='observation',
            name='header_conflicts',
        ),
        migrations.RunPython(let_the_roles_read_them, migrations.RunPython.noop),
    ]
