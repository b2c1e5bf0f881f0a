from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('observations', '0004_downloads_of_their_own'),
    ]

    operations = [
        migrations.AddField(
            model_name='observation',
            name='delivered_wcs_quality',
            field=models.CharField(blank=True, choices=[('solved', 'solved against a star catalogue'), ('header', "the header's, checked"), ('nominal', 'from pointing and optics only')], help_text='Before any frame of its field was solved or matched.', max_length=8),
        ),
        migrations.AddConstraint(
            model_name='observation',
            constraint=models.CheckConstraint(condition=models.Q(('delivered_wcs_quality__in', ['', 'solved', 'header', 'nominal'])), name='observations_observation_delivered_wcs_quality_known', violation_error_message='delivered_wcs_quality must be one of solved, header, nominal.'),
        ),
    ]
