"""What reports to the services that name objects say of a telescope."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('observations', '0010_archives'),
    ]

    operations = [
        migrations.AddField(
            model_name='telescope',
            name='aperture_m',
            field=models.FloatField(blank=True, help_text='Diameter, metres; reports name it.', null=True),
        ),
        migrations.AddField(
            model_name='telescope',
            name='design',
            field=models.CharField(blank=True, help_text='Of its optics, such as Reflector; reports name it.', max_length=35),
        ),
        migrations.AddField(
            model_name='telescope',
            name='detector',
            field=models.CharField(blank=True, choices=[('CCD', 'CCD'), ('CMO', 'CMOS')], help_text='Reports name it.', max_length=4),
        ),
        migrations.AddField(
            model_name='telescope',
            name='tns_instrument_id',
            field=models.PositiveIntegerField(blank=True, help_text='Number of the instrument at the Transient Name Server.', null=True),
        ),
        migrations.AddConstraint(
            model_name='telescope',
            constraint=models.CheckConstraint(condition=models.Q(('aperture_m__gt', 0.0), ('aperture_m__lt', float("inf"))), name='observations_telescope_aperture_m_positive', violation_error_message='aperture_m must be a number above 0.'),
        ),
        migrations.AddConstraint(
            model_name='telescope',
            constraint=models.CheckConstraint(condition=models.Q(('detector__in', ['', 'CCD', 'CMO'])), name='observations_telescope_detector_known', violation_error_message='detector must be one of CCD, CMO.'),
        ),
    ]
