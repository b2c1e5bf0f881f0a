"""What catalogues hold of the sky about detections; everybody with an account reads which were loaded."""

import catalog.ids
import django.db.models.deletion
import observations.sky
from django.db import migrations, models

from catalog.roles import grant


def let_the_roles_read_it(apps, schema_editor):
    grant(apps)


class Migration(migrations.Migration):

    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("catalog", "0010_plain_words"),
        ("contenttypes", "0002_remove_content_type_name"),
        ('detection', '0008_known_objects'),
    ]

    operations = [
        migrations.CreateModel(
            name='ContextArea',
            fields=[
                ('id', models.UUIDField(default=catalog.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('kind', models.CharField(choices=[('star', 'stars'), ('variable', 'variable stars'), ('galaxy', 'galaxies')], max_length=16)),
                ('catalogue', models.CharField(max_length=64)),
                ('origin', models.CharField(help_text='File, or address of the service that was asked.', max_length=500)),
                ('ra', models.FloatField(help_text='Of its middle, ICRS degrees.')),
                ('dec', models.FloatField(help_text='Of its middle, ICRS degrees.')),
                ('radius_deg', models.FloatField(help_text='180 is the whole sky.')),
                ('epoch_year', models.FloatField(help_text='Julian year at which the positions hold.')),
                ('is_complete', models.BooleanField(help_text='All that the catalogue has there was loaded: what is not among it is not in the catalogue.')),
                ('source_count', models.PositiveIntegerField()),
                ('fastest_mas_per_year', models.FloatField(default=0.0, help_text='The largest proper motion in it.')),
                ('columns', models.JSONField(default=dict, help_text='Which column was taken for what.')),
                ('sha256', models.CharField(help_text='Of the file, or of what the service was asked.', max_length=64)),
                ('loaded_at', models.DateTimeField()),
            ],
            options={
                'ordering': ['-loaded_at', 'id'],
                'constraints': [models.CheckConstraint(condition=models.Q(('kind__in', ['star', 'variable', 'galaxy'])), name='detection_contextarea_kind_known', violation_error_message='kind must be one of star, variable, galaxy.'), models.CheckConstraint(condition=models.Q(('ra__gte', 0.0), ('ra__lte', 360.0)), name='detection_contextarea_ra_range', violation_error_message='ra must lie between 0.0 and 360.0.'), models.CheckConstraint(condition=models.Q(('dec__gte', -90.0), ('dec__lte', 90.0)), name='detection_contextarea_dec_range', violation_error_message='dec must lie between -90.0 and 90.0.'), models.CheckConstraint(condition=models.Q(('radius_deg__gte', 0.0), ('radius_deg__lte', 180.0)), name='detection_contextarea_radius_deg_range', violation_error_message='radius_deg must lie between 0.0 and 180.0.'), models.CheckConstraint(condition=models.Q(('epoch_year__gt', float("-inf")), ('epoch_year__lt', float("inf"))), name='detection_contextarea_epoch_year_finite', violation_error_message='epoch_year must be a finite number.'), models.CheckConstraint(condition=models.Q(('fastest_mas_per_year__gte', 0.0), ('fastest_mas_per_year__lt', float("inf"))), name='detection_contextarea_fastest_mas_per_year_not_negative', violation_error_message='fastest_mas_per_year must be 0 or a number above it.'), models.UniqueConstraint(fields=('kind', 'catalogue', 'ra', 'dec', 'radius_deg'), name='detection_contextarea_once')],
            },
        ),
        migrations.CreateModel(
            name='ContextSource',
            fields=[
                ('id', models.UUIDField(default=catalog.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('ra', models.FloatField(help_text='Right ascension, ICRS degrees.')),
                ('dec', models.FloatField(help_text='Declination, ICRS degrees.')),
                ('healpix', observations.sky.HealpixField()),
                ('name', models.CharField(blank=True, max_length=64)),
                ('mag', models.FloatField(blank=True, null=True)),
                ('band', models.CharField(blank=True, max_length=32)),
                ('parallax_mas', models.FloatField(blank=True, null=True)),
                ('pm_ra_mas_per_year', models.FloatField(blank=True, help_text='Times the cosine of the declination.', null=True)),
                ('pm_dec_mas_per_year', models.FloatField(blank=True, null=True)),
                ('type_name', models.CharField(blank=True, help_text='Of a variable or a galaxy, as listed.', max_length=64)),
                ('redshift', models.FloatField(blank=True, null=True)),
                ('semi_major_arcsec', models.FloatField(blank=True, help_text='Of the ellipse that holds half its light.', null=True)),
                ('axis_ratio', models.FloatField(blank=True, null=True)),
                ('angle_deg', models.FloatField(blank=True, help_text='Of the long axis, from north by east.', null=True)),
                ('area', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='sources', to='detection.contextarea')),
            ],
            options={
                'ordering': ['id'],
                'indexes': [models.Index(fields=['healpix'], include=('ra', 'dec', 'id'), name='contextsource_sky')],
                'constraints': [models.CheckConstraint(condition=models.Q(('ra__gte', 0.0), ('ra__lt', 360.0)), name='detection_contextsource_ra_range', violation_error_message='ra must lie in [0, 360) degrees.'), models.CheckConstraint(condition=models.Q(('dec__gte', -90.0), ('dec__lte', 90.0)), name='detection_contextsource_dec_range', violation_error_message='dec must lie between -90.0 and 90.0.'), models.CheckConstraint(condition=models.Q(('mag__gt', float("-inf")), ('mag__lt', float("inf"))), name='detection_contextsource_mag_finite', violation_error_message='mag must be a finite number.'), models.CheckConstraint(condition=models.Q(('parallax_mas__gt', float("-inf")), ('parallax_mas__lt', float("inf"))), name='detection_contextsource_parallax_mas_finite', violation_error_message='parallax_mas must be a finite number.'), models.CheckConstraint(condition=models.Q(('pm_ra_mas_per_year__gt', float("-inf")), ('pm_ra_mas_per_year__lt', float("inf"))), name='detection_contextsource_pm_ra_mas_per_year_finite', violation_error_message='pm_ra_mas_per_year must be a finite number.'), models.CheckConstraint(condition=models.Q(('pm_dec_mas_per_year__gt', float("-inf")), ('pm_dec_mas_per_year__lt', float("inf"))), name='detection_contextsource_pm_dec_mas_per_year_finite', violation_error_message='pm_dec_mas_per_year must be a finite number.'), models.CheckConstraint(condition=models.Q(('redshift__gt', float("-inf")), ('redshift__lt', float("inf"))), name='detection_contextsource_redshift_finite', violation_error_message='redshift must be a finite number.'), models.CheckConstraint(condition=models.Q(('semi_major_arcsec__gt', 0.0), ('semi_major_arcsec__lt', float("inf"))), name='detection_contextsource_semi_major_arcsec_positive', violation_error_message='semi_major_arcsec must be a number above 0.'), models.CheckConstraint(condition=models.Q(('axis_ratio__gt', 0.0), ('axis_ratio__lt', float("inf"))), name='detection_contextsource_axis_ratio_positive', violation_error_message='axis_ratio must be a number above 0.'), models.CheckConstraint(condition=models.Q(('angle_deg__gt', float("-inf")), ('angle_deg__lt', float("inf"))), name='detection_contextsource_angle_deg_finite', violation_error_message='angle_deg must be a finite number.')],
            },
        ),
        migrations.RunPython(let_the_roles_read_it, migrations.RunPython.noop),
    ]
