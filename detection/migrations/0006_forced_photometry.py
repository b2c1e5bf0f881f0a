"""What differences hold at places that are known; everybody with an account reads it."""

import catalog.ids
import django.db.models.deletion
import django.db.models.expressions
from django.db import migrations, models

from catalog.roles import grant


def let_the_roles_read_it(apps, schema_editor):
    grant(apps)


class Migration(migrations.Migration):

    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("catalog", "0010_plain_words"),
        ("contenttypes", "0002_remove_content_type_name"),
        ('detection', '0005_plain_words'),
        ('differencing', '0003_plain_words'),
        ('observations', '0006_plain_words'),
    ]

    operations = [
        migrations.CreateModel(
            name='ForcedPhotometry',
            fields=[
                ('id', models.UUIDField(default=catalog.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('ra', models.FloatField(help_text='Where it was measured, ICRS degrees.')),
                ('dec', models.FloatField(help_text='Where it was measured, ICRS degrees.')),
                ('position_error_arcsec', models.FloatField(help_text="Of the place and of the frame's WCS, 1 sigma in each axis.")),
                ('flux', models.FloatField(blank=True, help_text='Beyond the reference, signed, science ADU.', null=True)),
                ('flux_error', models.FloatField(blank=True, help_text='Science ADU.', null=True)),
                ('limiting_flux', models.FloatField(blank=True, help_text='5 sigma, science ADU; null where the flux is 3 sigma or more.', null=True)),
                ('total_flux', models.FloatField(blank=True, help_text='Together with the star that the reference holds there, science ADU.', null=True)),
                ('total_flux_error', models.FloatField(blank=True, help_text='Science ADU.', null=True)),
                ('reason', models.CharField(blank=True, choices=[('masked', 'too many pixels are masked there'), ('saturated', 'saturated pixels are there'), ('outside', 'outside the frame, or cut by its edge'), ('no_difference', 'the images of the difference are gone, or were made by an earlier version')], help_text='Why there is no value; empty where there is one.', max_length=16)),
                ('mjd_utc', models.FloatField(help_text='Middle of the exposure.')),
                ('bjd_tdb', models.FloatField(help_text='The same as Barycentric Julian Date, dynamical time.')),
                ('is_geocentric', models.BooleanField(help_text="The site is not known: the barycentric time is the Earth's centre's, up to 21 ms off.")),
                ('zero_point_mag', models.FloatField(blank=True, help_text='Magnitude of one ADU of this frame.', null=True)),
                ('zero_point_error', models.FloatField(blank=True, null=True)),
                ('zero_point_system', models.CharField(blank=True, help_text='AB, Vega or instrumental.', max_length=16)),
                ('difference_run', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='forced_photometry', to='differencing.differencerun')),
                ('observation', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='forced_photometry', to='observations.observation')),
                ('reference', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='forced_photometry', to='differencing.reference')),
                ('source', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='forced_photometry', to='detection.source')),
                ('tracklet', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='forced_photometry', to='differencing.tracklet')),
            ],
            options={
                'verbose_name': 'forced photometry',
                'verbose_name_plural': 'forced photometry',
                'ordering': ['-id'],
                'constraints': [models.CheckConstraint(condition=models.Q(('ra__gte', 0.0), ('ra__lt', 360.0)), name='detection_forcedphotometry_ra_range', violation_error_message='ra must lie in [0, 360) degrees.'), models.CheckConstraint(condition=models.Q(('dec__gte', -90.0), ('dec__lte', 90.0)), name='detection_forcedphotometry_dec_range', violation_error_message='dec must lie between -90.0 and 90.0.'), models.CheckConstraint(condition=models.Q(('position_error_arcsec__gte', 0.0), ('position_error_arcsec__lt', float("inf"))), name='detection_forcedphotometry_position_error_arcsec_not_negative', violation_error_message='position_error_arcsec must be 0 or a number above it.'), models.CheckConstraint(condition=models.Q(('flux__gt', float("-inf")), ('flux__lt', float("inf"))), name='detection_forcedphotometry_flux_finite', violation_error_message='flux must be a finite number.'), models.CheckConstraint(condition=models.Q(('flux_error__gt', 0.0), ('flux_error__lt', float("inf"))), name='detection_forcedphotometry_flux_error_positive', violation_error_message='flux_error must be a number above 0.'), models.CheckConstraint(condition=models.Q(('limiting_flux__gt', 0.0), ('limiting_flux__lt', float("inf"))), name='detection_forcedphotometry_limiting_flux_positive', violation_error_message='limiting_flux must be a number above 0.'), models.CheckConstraint(condition=models.Q(('total_flux__gt', float("-inf")), ('total_flux__lt', float("inf"))), name='detection_forcedphotometry_total_flux_finite', violation_error_message='total_flux must be a finite number.'), models.CheckConstraint(condition=models.Q(('total_flux_error__gt', 0.0), ('total_flux_error__lt', float("inf"))), name='detection_forcedphotometry_total_flux_error_positive', violation_error_message='total_flux_error must be a number above 0.'), models.CheckConstraint(condition=models.Q(('reason__in', ['', 'masked', 'saturated', 'outside', 'no_difference'])), name='detection_forcedphotometry_reason_known', violation_error_message='reason must be one of masked, saturated, outside, no_difference.'), models.CheckConstraint(condition=models.Q(('mjd_utc__gt', float("-inf")), ('mjd_utc__lt', float("inf"))), name='detection_forcedphotometry_mjd_utc_finite', violation_error_message='mjd_utc must be a finite number.'), models.CheckConstraint(condition=models.Q(('bjd_tdb__gt', float("-inf")), ('bjd_tdb__lt', float("inf"))), name='detection_forcedphotometry_bjd_tdb_finite', violation_error_message='bjd_tdb must be a finite number.'), models.CheckConstraint(condition=models.Q(('zero_point_mag__gt', float("-inf")), ('zero_point_mag__lt', float("inf"))), name='detection_forcedphotometry_zero_point_mag_finite', violation_error_message='zero_point_mag must be a finite number.'), models.CheckConstraint(condition=models.Q(('zero_point_error__gte', 0.0), ('zero_point_error__lt', float("inf"))), name='detection_forcedphotometry_zero_point_error_not_negative', violation_error_message='zero_point_error must be 0 or a number above it.'), models.CheckConstraint(condition=models.Q(models.Q(('source__isnull', False), ('tracklet__isnull', True)), models.Q(('source__isnull', True), ('tracklet__isnull', False)), _connector='OR'), name='detection_forcedphotometry_of_one', violation_error_message='It is of a source or of a tracklet.'), models.CheckConstraint(condition=models.Q(models.Q(('flux__isnull', False), ('flux_error__isnull', False), ('reason', '')), models.Q(models.Q(('reason', ''), _negated=True), ('flux__isnull', True), ('flux_error__isnull', True), ('total_flux__isnull', True)), _connector='OR'), name='detection_forcedphotometry_value_or_reason', violation_error_message='It has a flux with its error, or the reason why there is none.'), models.CheckConstraint(condition=models.Q(models.Q(('flux__isnull', True), ('limiting_flux__isnull', True)), models.Q(('flux__gt', django.db.models.expressions.CombinedExpression(models.Value(-3), '*', models.F('flux_error'))), ('flux__lt', django.db.models.expressions.CombinedExpression(models.Value(3), '*', models.F('flux_error'))), ('limiting_flux__isnull', False)), models.Q(('limiting_flux__isnull', True), models.Q(('flux__gte', django.db.models.expressions.CombinedExpression(models.Value(3), '*', models.F('flux_error'))), ('flux__lte', django.db.models.expressions.CombinedExpression(models.Value(-3), '*', models.F('flux_error'))), _connector='OR')), _connector='OR'), name='detection_forcedphotometry_limit_below_3_sigma', violation_error_message='A limit stands where the flux is below 3 sigma, and nowhere else.'), models.CheckConstraint(condition=models.Q(models.Q(('total_flux__isnull', True), ('total_flux_error__isnull', True)), models.Q(('total_flux__isnull', False), ('total_flux_error__isnull', False)), _connector='OR'), name='detection_forcedphotometry_total_with_error', violation_error_message='A total flux has an error.'), models.UniqueConstraint(fields=('source', 'observation', 'reference'), name='detection_forcedphotometry_source_once'), models.UniqueConstraint(fields=('tracklet', 'observation', 'reference'), name='detection_forcedphotometry_tracklet_once')],
            },
        ),
        migrations.RunPython(let_the_roles_read_it, migrations.RunPython.noop),
    ]
