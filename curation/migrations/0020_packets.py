"""Alerts get their number, and packets a table of rows that are only ever added."""

import uuid

import catalog.ids
import curation.models.alerts
import django.db.models.deletion
from django.db import migrations, models

from catalog.roles import grant
from curation.ids import number_of

FORWARD = """
CREATE TRIGGER curation_alertpacket_append_only BEFORE UPDATE OR DELETE ON curation_alertpacket
    FOR EACH ROW EXECUTE FUNCTION catalog_refuse_change();
CREATE TRIGGER curation_alertpacket_not_emptied BEFORE TRUNCATE ON curation_alertpacket
    FOR EACH STATEMENT EXECUTE FUNCTION catalog_refuse_change();
"""
BACKWARD = """
DROP TRIGGER curation_alertpacket_not_emptied ON curation_alertpacket;
DROP TRIGGER curation_alertpacket_append_only ON curation_alertpacket;
"""
# Rows whose numbers are computed at once.
AT_ONCE = 2000
FILL = """
UPDATE curation_alert SET number = filled.number
    FROM unnest(%s::uuid[], %s::bigint[]) AS filled(id, number) WHERE curation_alert.id = filled.id
"""


def give_numbers(apps, schema_editor):
    """Give every alert the number of its key, in the order of keys, a few thousand in memory at a time."""
    rows = apps.get_model("curation", "Alert").objects.order_by("pk")
    last = uuid.UUID(int=0)
    while keys := list(rows.filter(pk__gt=last).values_list("pk", flat=True)[:AT_ONCE]):
        numbers = {key: number_of(key) for key in keys}
        taken = set(rows.filter(number__in=numbers.values()).values_list("number", flat=True))
        for key in keys:
            attempt = 0
            while numbers[key] in taken:
                attempt += 1
                numbers[key] = number_of(key, attempt)
                taken |= set(rows.filter(number=numbers[key]).values_list("number", flat=True))
            taken.add(numbers[key])
        with schema_editor.connection.cursor() as cursor:
            cursor.execute(FILL, [list(numbers), list(numbers.values())])
        last = keys[-1]


def let_the_roles_read_them(apps, schema_editor):
    grant(apps)


class Migration(migrations.Migration):

    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("catalog", "0002_append_only"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("curation", "0019_order_of_changes"),
    ]

    operations = [
        migrations.AddField(
            model_name="alert",
            name="number",
            field=curation.models.alerts.NumberField(editable=False, null=True, unique=True, help_text='Of its key, 63 bits, for programs that know alerts by an integer; it never changes.'),
        ),
        migrations.RunPython(give_numbers, migrations.RunPython.noop),
        migrations.AlterField(
            model_name="alert",
            name="number",
            field=curation.models.alerts.NumberField(editable=False, unique=True, help_text='Of its key, 63 bits, for programs that know alerts by an integer; it never changes.'),
        ),
        migrations.CreateModel(
            name='AlertPacket',
            fields=[
                ('id', models.UUIDField(default=catalog.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('night', models.DateField(help_text='On which the detection that it tells of was observed; the archives go by it.')),
                ('schema_version', models.CharField(help_text='Of its Avro schema, as 1.0.', max_length=8)),
                ('file_path', models.CharField(help_text='Relative to the data root.', max_length=500, unique=True)),
                ('size_bytes', models.PositiveIntegerField()),
                ('header_bytes', models.PositiveIntegerField(help_text='What stands in the file before its one block.')),
                ('sha256', models.CharField(help_text='Of the file: other packets are never handed out for it.', max_length=64)),
                ('ivorn', models.CharField(help_text='Its name as a VOEvent, by which later ones cite it.', max_length=255)),
                ('publication', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='packet', to='curation.alertpublication')),
            ],
            options={
                'ordering': ['id'],
                'indexes': [models.Index(fields=['night', 'schema_version'], name='alertpacket_of_night')],
                'constraints': [models.CheckConstraint(condition=models.Q(('header_bytes__gte', 1)), name='curation_alertpacket_header_bytes_least', violation_error_message='header_bytes must be at least 1.'), models.CheckConstraint(condition=models.Q(('size_bytes__gt', models.F('header_bytes'))), name='curation_alertpacket_holds_a_block', violation_error_message='A packet holds more than its header.')],
            },
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
        migrations.RunPython(let_the_roles_read_them, migrations.RunPython.noop),
    ]
