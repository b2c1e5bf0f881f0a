"""What networks are trained with and measured by; the database refuses to change it. Who has an account reads it."""

import catalog.ids
import django.db.models.deletion
from django.db import migrations, models

from catalog.roles import grant

FORWARD = """
CREATE TRIGGER detection_dataset_never_changes BEFORE UPDATE OF
    id, name, version, path, sha256, example_count, real_count, code_version, manifest, made_at ON detection_dataset
    FOR EACH ROW EXECUTE FUNCTION catalog_refuse_change();
"""
BACKWARD = "DROP TRIGGER detection_dataset_never_changes ON detection_dataset;"


def let_the_roles_read_it(apps, schema_editor):
    grant(apps)


class Migration(migrations.Migration):

    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("catalog", "0010_plain_words"),
        ("contenttypes", "0002_remove_content_type_name"),
        ('detection', '0017_calibrations_never_change'),
    ]

    operations = [
        migrations.CreateModel(
            name='DataSet',
            fields=[
                ('id', models.UUIDField(default=catalog.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('name', models.CharField(max_length=100)),
                ('version', models.CharField(max_length=50)),
                ('path', models.CharField(help_text='The folder, relative to the data root.', max_length=500)),
                ('sha256', models.CharField(help_text='Of its file of examples.', max_length=64)),
                ('example_count', models.PositiveIntegerField()),
                ('real_count', models.PositiveIntegerField()),
                ('code_version', models.CharField(help_text='Of the code that made it: a hash over the numerics.', max_length=64)),
                ('manifest', models.JSONField(help_text='What it is made of, and how it is divided.')),
                ('made_at', models.DateTimeField()),
                ('is_golden', models.BooleanField(default=False, help_text='Models are compared on it before one is put to use; at most one data set is.')),
            ],
            options={
                'ordering': ['-made_at', '-id'],
                'constraints': [models.UniqueConstraint(fields=('name', 'version'), name='detection_dataset_name_version'), models.UniqueConstraint(condition=models.Q(('is_golden', True)), fields=('is_golden',), name='detection_dataset_one_golden'), models.CheckConstraint(condition=models.Q(('real_count__lte', models.F('example_count'))), name='detection_dataset_counts', violation_error_message='No more are real than there are.')],
            },
        ),
        migrations.AddField(
            model_name='model',
            name='data_set',
            field=models.ForeignKey(blank=True, help_text='It learned from it.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='models', to='detection.dataset'),
        ),
        migrations.AddField(
            model_name='model',
            name='report',
            field=models.JSONField(blank=True, default=dict, help_text='How good it is by kind, camera and S/N, and what that says nothing about.'),
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
        migrations.RunPython(let_the_roles_read_it, migrations.RunPython.noop),
    ]
