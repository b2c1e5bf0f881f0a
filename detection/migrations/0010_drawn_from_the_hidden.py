"""What is drawn at random from the hidden has an origin of its own, its probability, and a place among the others."""

import django.db.models.functions.comparison
from django.db import migrations, models


def as_promoted(apps, schema_editor):
    """Former code knows one origin for what stands against the model."""
    apps.get_model("detection", "Detection").objects.filter(origin="sampled").update(origin="promoted")


class Migration(migrations.Migration):

    dependencies = [
        ('detection', '0009_context'),
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
        migrations.RunPython(migrations.RunPython.noop, as_promoted),
        migrations.RemoveIndex(
            model_name='detection',
            name='detection_queue',
        ),
        migrations.RemoveIndex(
            model_name='detection',
            name='detection_best',
        ),
        migrations.AddField(
            model_name='detection',
            name='drawn_score',
            field=models.FloatField(blank=True, help_text='Of what was drawn from the hidden: the score at whose place it is reviewed.', null=True),
        ),
        migrations.AddField(
            model_name='detection',
            name='inclusion_probability',
            field=models.FloatField(blank=True, help_text='Of what was drawn from the hidden: one over it is its weight.', null=True),
        ),
        migrations.AddField(
            model_name='detection',
            name='queue_score',
            field=models.GeneratedField(db_persist=True, expression=django.db.models.functions.comparison.Coalesce('drawn_score', 'confidence_score'), help_text='What lists and the queue are ordered by.', output_field=models.FloatField()),
        ),
        migrations.AddField(
            model_name='modelrun',
            name='hidden_draw',
            field=models.JSONField(blank=True, help_text='How some of what it hides was drawn for review: seed, share and strata; null until it was.', null=True),
        ),
        migrations.AlterField(
            model_name='detection',
            name='origin',
            field=models.CharField(choices=[('pipeline', 'Pipeline'), ('promoted', 'promoted by a person, against the model'), ('sampled', 'drawn at random from what the model hides'), ('imported', 'imported from another alert stream')], default='pipeline', max_length=10),
        ),
        migrations.AlterModelOptions(
            name='detection',
            options={'ordering': ['-queue_score', 'id']},
        ),
        migrations.AddIndex(
            model_name='detection',
            index=models.Index(fields=['status', '-queue_score', 'id'], name='detection_queue'),
        ),
        migrations.AddIndex(
            model_name='detection',
            index=models.Index(fields=['-queue_score', 'id'], name='detection_best'),
        ),
        migrations.AddIndex(
            model_name='detection',
            index=models.Index(condition=models.Q(('origin', 'sampled')), fields=['-created_at', '-id'], name='detection_latest_sampled'),
        ),
        migrations.AddConstraint(
            model_name='detection',
            constraint=models.CheckConstraint(condition=models.Q(('origin__in', ['pipeline', 'promoted', 'sampled', 'imported'])), name='detection_detection_origin_known', violation_error_message='origin must be one of pipeline, promoted, sampled, imported.'),
        ),
        migrations.AddConstraint(
            model_name='detection',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('candidate__isnull', True), ('origin', 'imported')), models.Q(('candidate__isnull', False), ('origin__in', ('pipeline', 'promoted', 'sampled'))), _connector='OR'), name='detection_detection_origin_and_candidate', violation_error_message='Only an imported detection has no candidate.'),
        ),
        migrations.AddConstraint(
            model_name='detection',
            constraint=models.CheckConstraint(condition=models.Q(('drawn_score__gte', 0.0), ('drawn_score__lte', 1.0)), name='detection_detection_drawn_score_range', violation_error_message='drawn_score must lie between 0.0 and 1.0.'),
        ),
        migrations.AddConstraint(
            model_name='detection',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('inclusion_probability__gt', 0.0), ('inclusion_probability__isnull', False), ('origin', 'sampled')), models.Q(models.Q(('origin', 'sampled'), _negated=True), ('drawn_score__isnull', True), ('inclusion_probability__isnull', True)), _connector='OR'), name='detection_detection_sampled_has_probability', violation_error_message='What was drawn has its probability, between 0 and 1; nothing else has one.'),
        ),
        migrations.RemoveIndex(
            model_name='candidatescore',
            name='candidatescore_by_score',
        ),
        migrations.AddIndex(
            model_name='candidatescore',
            index=models.Index(fields=['model', '-score', 'id'], name='candidatescore_by_score'),
        ),
        migrations.AddConstraint(
            model_name='detection',
            constraint=models.CheckConstraint(condition=models.Q(('inclusion_probability__gte', 0.0), ('inclusion_probability__lte', 1.0)), name='detection_detection_inclusion_probability_range', violation_error_message='inclusion_probability must lie between 0.0 and 1.0.'),
        ),
    ]
