"""Masters know by which setting of the camera their frames were taken."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('preprocessing', '0002_error_of_the_psf'),
    ]

    operations = [
        migrations.AddField(
            model_name='calibrationmaster',
            name='calibrated',
            field=models.JSONField(blank=True, default=list, help_text='What was taken off before delivery.'),
        ),
        migrations.AddField(
            model_name='calibrationmaster',
            name='camera_serial',
            field=models.CharField(blank=True, max_length=64),
        ),
        migrations.AddField(
            model_name='calibrationmaster',
            name='gain_setting',
            field=models.CharField(blank=True, help_text='Of the amplifier, as the header writes it.', max_length=32),
        ),
        migrations.AddField(
            model_name='calibrationmaster',
            name='offset_setting',
            field=models.CharField(blank=True, max_length=32),
        ),
        migrations.AddField(
            model_name='calibrationmaster',
            name='pixel_unit',
            field=models.CharField(blank=True, help_text='As the header states it.', max_length=16),
        ),
        migrations.AddField(
            model_name='calibrationmaster',
            name='window',
            field=models.CharField(blank=True, help_text='First pixel of a part of the detector.', max_length=32),
        ),
    ]
