"""A lease is of an item, an object in the sky or a detection; those that are open go on, each for its detection."""

from django.db import migrations, models
from django.db.models import F


def each_for_its_detection(apps, schema_editor):
    apps.get_model("curation", "Lease").objects.update(item=F("detection"))


class Migration(migrations.Migration):

    dependencies = [
        ('curation', '0011_plain_words'),
    ]

    operations = [
        migrations.AddField('lease', 'item', models.UUIDField(null=True)),
        migrations.RunPython(each_for_its_detection, migrations.RunPython.noop),
        migrations.AlterField('lease', 'item', models.UUIDField(help_text='Key of the mover, tracklet or source that is judged, or of the detection alone.', unique=True)),
        migrations.AlterField('lease', 'detection', models.OneToOneField(help_text='Of the item the one that is shown first.', on_delete=models.CASCADE, related_name='lease', to='detection.detection')),
        migrations.AddField('validationevent', 'group', models.UUIDField(blank=True, help_text='What was answered with one key, about one object, has one; made by the client.', null=True)),
        migrations.AddField('validationevent', 'shown', models.CharField(blank=True, choices=[('large', 'large on screen'), ('strip', 'in the strip of epochs'), ('unseen', 'not on screen')], help_text='How it was seen when it was answered about; blank where that is not known.', max_length=6)),
        migrations.AddConstraint('validationevent', models.CheckConstraint(condition=models.Q(('shown__in', ['', 'large', 'strip', 'unseen'])), name='curation_validationevent_shown_known', violation_error_message='shown must be one of large, strip, unseen.')),
        migrations.AddIndex('validationevent', models.Index(condition=models.Q(('group__isnull', False)), fields=['group'], name='validationevent_of_group')),
    ]
