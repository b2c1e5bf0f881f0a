"""What a person brings before curators although the model or a veto has rejected it has an origin of its own."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('detection', '0006_forced_photometry'),
        ('differencing', '0008_vetoes_and_linked_candidates'),
        ('observations', '0007_doubts_and_profiles'),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='detection',
            name='detection_detection_origin_known',
        ),
        migrations.RemoveConstraint(
            model_name='detection',
            name='detection_detection_origin_and_candidate',
        ),
        migrations.AlterField(
            model_name='detection',
            name='origin',
            field=models.CharField(choices=[('pipeline', 'Pipeline'), ('promoted', 'promoted by a person, against the model'), ('imported', 'imported from another alert stream')], default='pipeline', max_length=10),
        ),
        migrations.AddIndex(
            model_name='detection',
            index=models.Index(condition=models.Q(('origin', 'promoted')), fields=['-created_at', '-id'], name='detection_latest_promoted'),
        ),
        migrations.AddConstraint(
            model_name='detection',
            constraint=models.CheckConstraint(condition=models.Q(('origin__in', ['pipeline', 'promoted', 'imported'])), name='detection_detection_origin_known', violation_error_message='origin must be one of pipeline, promoted, imported.'),
        ),
        migrations.AddConstraint(
            model_name='detection',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('candidate__isnull', True), ('origin', 'imported')), models.Q(('candidate__isnull', False), ('origin__in', ('pipeline', 'promoted'))), _connector='OR'), name='detection_detection_origin_and_candidate', violation_error_message='Only an imported detection has no candidate.'),
        ),
    ]
