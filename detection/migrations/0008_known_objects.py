"""Orbits of what is known in the Solar System, and where it was in each frame; everybody with an account reads it."""

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
        ('detection', '0007_promoted'),
        ('observations', '0007_doubts_and_profiles'),
    ]

    operations = [
        migrations.CreateModel(
            name='OrbitSet',
            fields=[
                ('id', models.UUIDField(default=catalog.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('name', models.CharField(help_text="What it holds: asteroids, comets, or a name of one's own.", max_length=64)),
                ('file_name', models.CharField(max_length=255)),
                ('sha256', models.CharField(help_text='Of the file as it came.', max_length=64)),
                ('orbits_at', models.DateTimeField(help_text='How new the orbits are: the last observation that any of them used.')),
                ('entries_read', models.PositiveIntegerField(default=0, help_text='Lines or entries of the file, refused ones too.')),
                ('orbit_count', models.PositiveIntegerField(default=0)),
                ('refused_count', models.PositiveIntegerField(default=0, help_text='Entries that could not be read.')),
                ('first_refusal', models.CharField(blank=True, max_length=300)),
                ('is_complete', models.BooleanField(default=False)),
            ],
            options={
                'ordering': ['-created_at', '-id'],
                'constraints': [models.UniqueConstraint(fields=('name', 'sha256'), name='detection_orbitset_once'), models.CheckConstraint(condition=models.Q(models.Q(('name', ''), _negated=True), models.Q(('sha256', ''), _negated=True)), name='detection_orbitset_named', violation_error_message='Orbits have a name and the sha256 of their file.')],
            },
        ),
        migrations.CreateModel(
            name='KnownObject',
            fields=[
                ('id', models.UUIDField(default=catalog.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('ra', models.FloatField(help_text='Right ascension, ICRS degrees.')),
                ('dec', models.FloatField(help_text='Declination, ICRS degrees.')),
                ('healpix', observations.sky.HealpixField()),
                ('designation', models.CharField(max_length=64)),
                ('is_comet', models.BooleanField(default=False)),
                ('rate_arcsec_per_min', models.FloatField()),
                ('position_angle_deg', models.FloatField(help_text='Of the motion, from north by east.')),
                ('predicted_mag', models.FloatField(blank=True, help_text='V; null where no absolute magnitude is known.', null=True)),
                ('along_error_arcsec', models.FloatField(help_text="1 sigma along the uncertainty's long axis.")),
                ('across_error_arcsec', models.FloatField(help_text='1 sigma across it.')),
                ('error_angle_deg', models.FloatField(help_text='Of the long axis, from north by east.')),
                ('distance_au', models.FloatField(help_text='From the Earth.')),
                ('sun_distance_au', models.FloatField()),
                ('epoch_mjd', models.FloatField(help_text='Of the orbit.')),
                ('uncertainty_parameter', models.PositiveSmallIntegerField(blank=True, help_text='0 is best, 9 worst.', null=True)),
                ('observation', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='known_objects', to='observations.observation')),
            ],
            options={
                'ordering': ['observation', 'designation', 'id'],
                'indexes': [models.Index(fields=['healpix'], include=('ra', 'dec', 'id'), name='knownobject_sky')],
                'constraints': [models.CheckConstraint(condition=models.Q(('ra__gte', 0.0), ('ra__lt', 360.0)), name='detection_knownobject_ra_range', violation_error_message='ra must lie in [0, 360) degrees.'), models.CheckConstraint(condition=models.Q(('dec__gte', -90.0), ('dec__lte', 90.0)), name='detection_knownobject_dec_range', violation_error_message='dec must lie between -90.0 and 90.0.'), models.CheckConstraint(condition=models.Q(('rate_arcsec_per_min__gte', 0.0), ('rate_arcsec_per_min__lt', float("inf"))), name='detection_knownobject_rate_arcsec_per_min_not_negative', violation_error_message='rate_arcsec_per_min must be 0 or a number above it.'), models.CheckConstraint(condition=models.Q(('position_angle_deg__gte', 0.0), ('position_angle_deg__lte', 360.0)), name='detection_knownobject_position_angle_deg_range', violation_error_message='position_angle_deg must lie between 0.0 and 360.0.'), models.CheckConstraint(condition=models.Q(('predicted_mag__gt', float("-inf")), ('predicted_mag__lt', float("inf"))), name='detection_knownobject_predicted_mag_finite', violation_error_message='predicted_mag must be a finite number.'), models.CheckConstraint(condition=models.Q(('along_error_arcsec__gt', 0.0), ('along_error_arcsec__lt', float("inf"))), name='detection_knownobject_along_error_arcsec_positive', violation_error_message='along_error_arcsec must be a number above 0.'), models.CheckConstraint(condition=models.Q(('across_error_arcsec__gt', 0.0), ('across_error_arcsec__lt', float("inf"))), name='detection_knownobject_across_error_arcsec_positive', violation_error_message='across_error_arcsec must be a number above 0.'), models.CheckConstraint(condition=models.Q(('error_angle_deg__gte', 0.0), ('error_angle_deg__lte', 360.0)), name='detection_knownobject_error_angle_deg_range', violation_error_message='error_angle_deg must lie between 0.0 and 360.0.'), models.CheckConstraint(condition=models.Q(('distance_au__gt', 0.0), ('distance_au__lt', float("inf"))), name='detection_knownobject_distance_au_positive', violation_error_message='distance_au must be a number above 0.'), models.CheckConstraint(condition=models.Q(('sun_distance_au__gt', 0.0), ('sun_distance_au__lt', float("inf"))), name='detection_knownobject_sun_distance_au_positive', violation_error_message='sun_distance_au must be a number above 0.'), models.CheckConstraint(condition=models.Q(('epoch_mjd__gt', float("-inf")), ('epoch_mjd__lt', float("inf"))), name='detection_knownobject_epoch_mjd_finite', violation_error_message='epoch_mjd must be a finite number.'), models.UniqueConstraint(fields=('observation', 'designation'), name='detection_knownobject_once')],
            },
        ),
        migrations.CreateModel(
            name='KnownObjectSearch',
            fields=[
                ('id', models.UUIDField(default=catalog.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('outcome', models.CharField(choices=[('done', 'computed'), ('no_ephemerides', 'the ephemerides were not installed'), ('none_usable', "no orbit told where its body was at the frame's time"), ('no_size', 'it is not known how large the frame is on the sky')], default='done', max_length=16)),
                ('ra', models.FloatField(help_text='Centre, ICRS degrees.')),
                ('dec', models.FloatField()),
                ('radius_deg', models.FloatField()),
                ('mjd_utc', models.FloatField(help_text='Middle of the exposure, as it was known then.')),
                ('is_geocentric', models.BooleanField(help_text="The site is not known: places are those seen from the Earth's centre.")),
                ('orbits_at', models.DateTimeField(help_text='How new the orbits were: the oldest of the sets.')),
                ('orbit_count', models.PositiveIntegerField(help_text='Of all that were asked, those that say where a body is.')),
                ('vague_count', models.PositiveIntegerField(help_text='Those too uncertain to say where a body is.')),
                ('searched_at', models.DateTimeField()),
                ('observation', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='known_object_search', to='observations.observation')),
            ],
            options={
                'verbose_name_plural': 'known object searches',
                'ordering': ['-searched_at', '-id'],
                'constraints': [models.CheckConstraint(condition=models.Q(('outcome__in', ['done', 'no_ephemerides', 'none_usable', 'no_size'])), name='detection_knownobjectsearch_outcome_known', violation_error_message='outcome must be one of done, no_ephemerides, none_usable, no_size.'), models.CheckConstraint(condition=models.Q(('ra__gte', 0.0), ('ra__lt', 360.0)), name='detection_knownobjectsearch_ra_range', violation_error_message='ra must lie in [0, 360) degrees.'), models.CheckConstraint(condition=models.Q(('dec__gte', -90.0), ('dec__lte', 90.0)), name='detection_knownobjectsearch_dec_range', violation_error_message='dec must lie between -90.0 and 90.0.'), models.CheckConstraint(condition=models.Q(('radius_deg__gte', 0.0), ('radius_deg__lt', float("inf"))), name='detection_knownobjectsearch_radius_deg_not_negative', violation_error_message='radius_deg must be 0 or a number above it.'), models.CheckConstraint(condition=models.Q(('mjd_utc__gt', float("-inf")), ('mjd_utc__lt', float("inf"))), name='detection_knownobjectsearch_mjd_utc_finite', violation_error_message='mjd_utc must be a finite number.')],
            },
        ),
        migrations.CreateModel(
            name='Orbit',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('designation', models.CharField(max_length=64)),
                ('is_comet', models.BooleanField(default=False)),
                ('perihelion_au', models.FloatField()),
                ('eccentricity', models.FloatField()),
                ('inclination_deg', models.FloatField()),
                ('node_deg', models.FloatField()),
                ('argument_deg', models.FloatField()),
                ('perihelion_mjd', models.FloatField()),
                ('epoch_mjd', models.FloatField()),
                ('absolute_mag', models.FloatField(blank=True, help_text='H of an asteroid; total magnitude of a comet.', null=True)),
                ('slope', models.FloatField(blank=True, help_text='G of an asteroid; K of a comet.', null=True)),
                ('uncertainty_parameter', models.PositiveSmallIntegerField(blank=True, help_text='0 is best, 9 worst.', null=True)),
                ('rms_arcsec', models.FloatField(blank=True, help_text='Residuals of the orbit.', null=True)),
                ('last_observed_mjd', models.FloatField(blank=True, null=True)),
                ('orbit_set', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='orbits', to='detection.orbitset')),
            ],
            options={
                'ordering': ['id'],
                'default_permissions': (),
                'constraints': [models.CheckConstraint(condition=models.Q(('perihelion_au__gt', 0.0), ('perihelion_au__lt', float("inf"))), name='detection_orbit_perihelion_au_positive', violation_error_message='perihelion_au must be a number above 0.'), models.CheckConstraint(condition=models.Q(('eccentricity__gte', 0.0), ('eccentricity__lt', float("inf"))), name='detection_orbit_eccentricity_not_negative', violation_error_message='eccentricity must be 0 or a number above it.'), models.CheckConstraint(condition=models.Q(('perihelion_mjd__gt', float("-inf")), ('perihelion_mjd__lt', float("inf"))), name='detection_orbit_perihelion_mjd_finite', violation_error_message='perihelion_mjd must be a finite number.'), models.CheckConstraint(condition=models.Q(('epoch_mjd__gt', float("-inf")), ('epoch_mjd__lt', float("inf"))), name='detection_orbit_epoch_mjd_finite', violation_error_message='epoch_mjd must be a finite number.')],
            },
        ),
        migrations.RunPython(let_the_roles_read_it, migrations.RunPython.noop),
    ]
