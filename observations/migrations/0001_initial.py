import django.db.models.deletion
from django.db import migrations, models

import catalog.failures
import catalog.ids
import observations.sky


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Field",
            fields=[
                ("id", models.UUIDField(default=catalog.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                ("ra", models.FloatField(help_text="Right ascension, ICRS degrees.")),
                ("dec", models.FloatField(help_text="Declination, ICRS degrees.")),
                ("healpix", observations.sky.HealpixField()),
                ("name", models.CharField(blank=True, db_index=True, max_length=100)),
                ("radius_deg", models.FloatField()),
            ],
            options={
                "ordering": ["name", "id"],
            },
        ),
        migrations.CreateModel(
            name="Survey",
            fields=[
                ("id", models.UUIDField(default=catalog.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                ("name", models.CharField(max_length=100, unique=True)),
                ("description", models.TextField(blank=True)),
                ("base_url", models.URLField(blank=True, max_length=500)),
                ("api_endpoint", models.URLField(blank=True, max_length=500)),
                ("is_active", models.BooleanField(default=True)),
            ],
            options={
                "ordering": ["name"],
            },
        ),
        migrations.CreateModel(
            name="Observation",
            fields=[
                ("id", models.UUIDField(default=catalog.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                ("ra", models.FloatField(help_text="Right ascension, ICRS degrees.")),
                ("dec", models.FloatField(help_text="Declination, ICRS degrees.")),
                ("healpix", observations.sky.HealpixField()),
                (
                    "observation_id",
                    models.CharField(help_text="The survey's own name of it, with the detector.", max_length=200),
                ),
                ("observation_time", models.DateTimeField(help_text="Start of the exposure, UTC.")),
                ("filter_band", models.CharField(max_length=32)),
                ("exposure_time", models.FloatField(help_text="Seconds.")),
                ("fits_url", models.URLField(blank=True, max_length=2000)),
                ("pixel_scale", models.FloatField(blank=True, help_text="Arcseconds per pixel.", null=True)),
                ("image_width", models.PositiveIntegerField(help_text="Pixels.")),
                ("image_height", models.PositiveIntegerField(help_text="Pixels.")),
                ("airmass", models.FloatField(blank=True, null=True)),
                (
                    "seeing",
                    models.FloatField(blank=True, help_text="Full width at half maximum, arcseconds.", null=True),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("ingested", "Ingested"),
                            ("preprocessing", "Preprocessing"),
                            ("preprocessed", "Preprocessed"),
                            ("differencing", "Differencing"),
                            ("differenced", "Differenced"),
                            ("failed", "Failed"),
                            ("archived", "Archived"),
                        ],
                        default="ingested",
                        max_length=16,
                    ),
                ),
                (
                    "fits_file_path",
                    models.CharField(blank=True, help_text="Relative to the data root.", max_length=500),
                ),
                (
                    "thumbnail_path",
                    models.CharField(blank=True, help_text="Relative to the data root.", max_length=500),
                ),
                (
                    "sha256",
                    models.CharField(help_text="Of the uncompressed header and data.", max_length=64, unique=True),
                ),
                ("mjd_utc", models.FloatField(help_text="Middle of the exposure.")),
                ("night", models.DateField(help_text="Date of the evening: local noon to local noon at the site.")),
                ("hdu_index", models.PositiveIntegerField(default=0)),
                ("object_name", models.CharField(blank=True, max_length=200)),
                (
                    "footprint",
                    models.JSONField(blank=True, default=list, help_text="Four corners [[ra, dec], ...], degrees."),
                ),
                ("gain_e_per_adu", models.FloatField(blank=True, null=True)),
                ("read_noise_e", models.FloatField(blank=True, null=True)),
                ("saturation_level", models.FloatField(blank=True, null=True)),
                (
                    "saturation_unit",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("raw_adu", "stored integers, before BSCALE and BZERO"),
                            ("data", "physical pixel values"),
                        ],
                        max_length=8,
                    ),
                ),
                (
                    "wcs_quality",
                    models.CharField(
                        choices=[
                            ("solved", "solved against a star catalogue"),
                            ("header", "the header's, checked"),
                            ("nominal", "from pointing and optics only"),
                        ],
                        default="nominal",
                        max_length=8,
                    ),
                ),
                ("camera", models.CharField(blank=True, max_length=100)),
                ("binning", models.CharField(blank=True, max_length=16)),
                ("readout_mode", models.CharField(blank=True, max_length=64)),
                ("ccd_temperature_c", models.FloatField(blank=True, null=True)),
                ("header", models.JSONField(blank=True, default=dict)),
                (
                    "header_conflicts",
                    models.JSONField(blank=True, default=list, help_text="Keywords that disagreed, and who won."),
                ),
                (
                    "original_name",
                    models.CharField(blank=True, help_text="The file's name as delivered.", max_length=255),
                ),
                (
                    "failure_code",
                    models.CharField(blank=True, choices=catalog.failures.failure_code_choices, max_length=40),
                ),
                ("error_message", models.TextField(blank=True)),
                (
                    "field",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="observations",
                        to="observations.field",
                    ),
                ),
                (
                    "survey",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="observations",
                        to="observations.survey",
                    ),
                ),
            ],
            options={
                "ordering": ["observation_time", "id"],
            },
        ),
        migrations.AddField(
            model_name="field",
            name="anchor",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="observations.observation",
            ),
        ),
        migrations.CreateModel(
            name="Telescope",
            fields=[
                ("id", models.UUIDField(default=catalog.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                ("name", models.CharField(max_length=100, unique=True)),
                ("latitude_deg", models.FloatField(blank=True, help_text="North positive.", null=True)),
                ("longitude_deg", models.FloatField(blank=True, help_text="East positive, -180 to 180.", null=True)),
                ("height_m", models.FloatField(blank=True, null=True)),
                (
                    "mpc_code",
                    models.CharField(
                        blank=True, help_text="Observatory code of the Minor Planet Center.", max_length=4
                    ),
                ),
                (
                    "time_zone",
                    models.CharField(blank=True, help_text="IANA name, such as Atlantic/Canary.", max_length=64),
                ),
            ],
            options={
                "ordering": ["name"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("latitude_deg__gte", -90.0), ("latitude_deg__lte", 90.0)),
                        name="observations_telescope_latitude_deg_range",
                        violation_error_message="latitude_deg must lie between -90.0 and 90.0.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("longitude_deg__gte", -180.0), ("longitude_deg__lte", 180.0)),
                        name="observations_telescope_longitude_deg_range",
                        violation_error_message="longitude_deg must lie between -180.0 and 180.0.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("height_m__gt", float("-inf")), ("height_m__lt", float("inf"))),
                        name="observations_telescope_height_m_finite",
                        violation_error_message="height_m must be a finite number.",
                    ),
                ],
            },
        ),
        migrations.AddField(
            model_name="observation",
            name="telescope",
            field=models.ForeignKey(
                blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, to="observations.telescope"
            ),
        ),
        migrations.CreateModel(
            name="CalibrationFrame",
            fields=[
                ("id", models.UUIDField(default=catalog.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "kind",
                    models.CharField(choices=[("bias", "Bias"), ("dark", "Dark"), ("flat", "Flat")], max_length=8),
                ),
                (
                    "sha256",
                    models.CharField(help_text="Of the uncompressed header and data.", max_length=64, unique=True),
                ),
                ("night", models.DateField()),
                ("observation_time", models.DateTimeField(help_text="Start of the exposure, UTC.")),
                ("exposure_time", models.FloatField(help_text="Seconds; 0 for a bias.")),
                ("camera", models.CharField(blank=True, max_length=100)),
                ("binning", models.CharField(blank=True, max_length=16)),
                ("gain", models.FloatField(blank=True, help_text="As the header states it.", null=True)),
                ("readout_mode", models.CharField(blank=True, max_length=64)),
                ("ccd_temperature_c", models.FloatField(blank=True, null=True)),
                ("filter_band", models.CharField(blank=True, help_text="Of a flat.", max_length=32)),
                ("image_width", models.PositiveIntegerField(help_text="Pixels.")),
                ("image_height", models.PositiveIntegerField(help_text="Pixels.")),
                (
                    "fits_file_path",
                    models.CharField(blank=True, help_text="Relative to the data root.", max_length=500),
                ),
                ("hdu_index", models.PositiveIntegerField(default=0)),
                (
                    "original_name",
                    models.CharField(blank=True, help_text="The file's name as delivered.", max_length=255),
                ),
                ("header", models.JSONField(blank=True, default=dict)),
                (
                    "telescope",
                    models.ForeignKey(
                        blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, to="observations.telescope"
                    ),
                ),
            ],
            options={
                "ordering": ["observation_time", "id"],
            },
        ),
        migrations.AddIndex(
            model_name="field",
            index=models.Index(fields=["healpix"], include=("ra", "dec", "id"), name="field_sky"),
        ),
        migrations.AddConstraint(
            model_name="field",
            constraint=models.CheckConstraint(
                condition=models.Q(("ra__gte", 0.0), ("ra__lt", 360.0)),
                name="observations_field_ra_range",
                violation_error_message="ra must lie in [0, 360) degrees.",
            ),
        ),
        migrations.AddConstraint(
            model_name="field",
            constraint=models.CheckConstraint(
                condition=models.Q(("dec__gte", -90.0), ("dec__lte", 90.0)),
                name="observations_field_dec_range",
                violation_error_message="dec must lie between -90.0 and 90.0.",
            ),
        ),
        migrations.AddConstraint(
            model_name="field",
            constraint=models.CheckConstraint(
                condition=models.Q(("radius_deg__gt", 0.0), ("radius_deg__lt", float("inf"))),
                name="observations_field_radius_deg_positive",
                violation_error_message="radius_deg must be a number above 0.",
            ),
        ),
        migrations.AddIndex(
            model_name="observation",
            index=models.Index(fields=["healpix"], include=("ra", "dec", "id"), name="observation_sky"),
        ),
        migrations.AddIndex(
            model_name="observation",
            index=models.Index(fields=["status", "observation_time"], name="observation_queue"),
        ),
        migrations.AddIndex(
            model_name="observation",
            index=models.Index(fields=["field", "filter_band", "mjd_utc"], name="observation_of_field"),
        ),
        migrations.AddIndex(
            model_name="observation",
            index=models.Index(fields=["night", "telescope"], name="observation_night"),
        ),
        migrations.AddIndex(
            model_name="observation",
            index=models.Index(fields=["observation_time", "id"], name="observation_time"),
        ),
        migrations.AddConstraint(
            model_name="observation",
            constraint=models.CheckConstraint(
                condition=models.Q(("ra__gte", 0.0), ("ra__lt", 360.0)),
                name="observations_observation_ra_range",
                violation_error_message="ra must lie in [0, 360) degrees.",
            ),
        ),
        migrations.AddConstraint(
            model_name="observation",
            constraint=models.CheckConstraint(
                condition=models.Q(("dec__gte", -90.0), ("dec__lte", 90.0)),
                name="observations_observation_dec_range",
                violation_error_message="dec must lie between -90.0 and 90.0.",
            ),
        ),
        migrations.AddConstraint(
            model_name="observation",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "status__in",
                        [
                            "ingested",
                            "preprocessing",
                            "preprocessed",
                            "differencing",
                            "differenced",
                            "failed",
                            "archived",
                        ],
                    )
                ),
                name="observations_observation_status_known",
                violation_error_message="status must be one of ingested, preprocessing, preprocessed, differencing, differenced, failed, archived.",
            ),
        ),
        migrations.AddConstraint(
            model_name="observation",
            constraint=models.CheckConstraint(
                condition=models.Q(("wcs_quality__in", ["solved", "header", "nominal"])),
                name="observations_observation_wcs_quality_known",
                violation_error_message="wcs_quality must be one of solved, header, nominal.",
            ),
        ),
        migrations.AddConstraint(
            model_name="observation",
            constraint=models.CheckConstraint(
                condition=models.Q(("saturation_unit__in", ["", "raw_adu", "data"])),
                name="observations_observation_saturation_unit_known",
                violation_error_message="saturation_unit must be one of raw_adu, data.",
            ),
        ),
        migrations.AddConstraint(
            model_name="observation",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("status", "failed"), _negated=True),
                    models.Q(
                        models.Q(("failure_code", ""), _negated=True), models.Q(("error_message", ""), _negated=True)
                    ),
                    _connector="OR",
                ),
                name="observations_observation_status_reason",
                violation_error_message="What failed needs a failure_code and an error_message.",
            ),
        ),
        migrations.AddConstraint(
            model_name="observation",
            constraint=models.CheckConstraint(
                condition=models.Q(("exposure_time__gt", 0.0), ("exposure_time__lt", float("inf"))),
                name="observations_observation_exposure_time_positive",
                violation_error_message="exposure_time must be a number above 0.",
            ),
        ),
        migrations.AddConstraint(
            model_name="observation",
            constraint=models.CheckConstraint(
                condition=models.Q(("pixel_scale__gt", 0.0), ("pixel_scale__lt", float("inf"))),
                name="observations_observation_pixel_scale_positive",
                violation_error_message="pixel_scale must be a number above 0.",
            ),
        ),
        migrations.AddConstraint(
            model_name="observation",
            constraint=models.CheckConstraint(
                condition=models.Q(("image_width__gte", 1)),
                name="observations_observation_image_width_least",
                violation_error_message="image_width must be at least 1.",
            ),
        ),
        migrations.AddConstraint(
            model_name="observation",
            constraint=models.CheckConstraint(
                condition=models.Q(("image_height__gte", 1)),
                name="observations_observation_image_height_least",
                violation_error_message="image_height must be at least 1.",
            ),
        ),
        migrations.AddConstraint(
            model_name="observation",
            constraint=models.CheckConstraint(
                condition=models.Q(("airmass__gt", 0.0), ("airmass__lt", float("inf"))),
                name="observations_observation_airmass_positive",
                violation_error_message="airmass must be a number above 0.",
            ),
        ),
        migrations.AddConstraint(
            model_name="observation",
            constraint=models.CheckConstraint(
                condition=models.Q(("seeing__gt", 0.0), ("seeing__lt", float("inf"))),
                name="observations_observation_seeing_positive",
                violation_error_message="seeing must be a number above 0.",
            ),
        ),
        migrations.AddConstraint(
            model_name="observation",
            constraint=models.CheckConstraint(
                condition=models.Q(("mjd_utc__gt", float("-inf")), ("mjd_utc__lt", float("inf"))),
                name="observations_observation_mjd_utc_finite",
                violation_error_message="mjd_utc must be a finite number.",
            ),
        ),
        migrations.AddConstraint(
            model_name="observation",
            constraint=models.CheckConstraint(
                condition=models.Q(("gain_e_per_adu__gt", 0.0), ("gain_e_per_adu__lt", float("inf"))),
                name="observations_observation_gain_e_per_adu_positive",
                violation_error_message="gain_e_per_adu must be a number above 0.",
            ),
        ),
        migrations.AddConstraint(
            model_name="observation",
            constraint=models.CheckConstraint(
                condition=models.Q(("read_noise_e__gte", 0.0), ("read_noise_e__lt", float("inf"))),
                name="observations_observation_read_noise_e_not_negative",
                violation_error_message="read_noise_e must be 0 or a number above it.",
            ),
        ),
        migrations.AddConstraint(
            model_name="observation",
            constraint=models.CheckConstraint(
                condition=models.Q(("saturation_level__gt", 0.0), ("saturation_level__lt", float("inf"))),
                name="observations_observation_saturation_level_positive",
                violation_error_message="saturation_level must be a number above 0.",
            ),
        ),
        migrations.AddConstraint(
            model_name="observation",
            constraint=models.CheckConstraint(
                condition=models.Q(("ccd_temperature_c__gt", float("-inf")), ("ccd_temperature_c__lt", float("inf"))),
                name="observations_observation_ccd_temperature_c_finite",
                violation_error_message="ccd_temperature_c must be a finite number.",
            ),
        ),
        migrations.AddConstraint(
            model_name="observation",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("saturation_level__isnull", True),
                    models.Q(("saturation_unit", ""), _negated=True),
                    _connector="OR",
                ),
                name="observations_observation_saturation_has_unit",
                violation_error_message="A saturation level needs the unit that it applies to.",
            ),
        ),
        migrations.AddConstraint(
            model_name="observation",
            constraint=models.UniqueConstraint(
                fields=("survey", "observation_id"), name="observations_observation_once_per_survey"
            ),
        ),
        migrations.AddIndex(
            model_name="calibrationframe",
            index=models.Index(fields=["kind", "camera", "binning", "night"], name="calibrationframe_key"),
        ),
        migrations.AddConstraint(
            model_name="calibrationframe",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind__in", ["bias", "dark", "flat"])),
                name="observations_calibrationframe_kind_known",
                violation_error_message="kind must be one of bias, dark, flat.",
            ),
        ),
        migrations.AddConstraint(
            model_name="calibrationframe",
            constraint=models.CheckConstraint(
                condition=models.Q(("exposure_time__gte", 0.0), ("exposure_time__lt", float("inf"))),
                name="observations_calibrationframe_exposure_time_not_negative",
                violation_error_message="exposure_time must be 0 or a number above it.",
            ),
        ),
        migrations.AddConstraint(
            model_name="calibrationframe",
            constraint=models.CheckConstraint(
                condition=models.Q(("image_width__gte", 1)),
                name="observations_calibrationframe_image_width_least",
                violation_error_message="image_width must be at least 1.",
            ),
        ),
        migrations.AddConstraint(
            model_name="calibrationframe",
            constraint=models.CheckConstraint(
                condition=models.Q(("image_height__gte", 1)),
                name="observations_calibrationframe_image_height_least",
                violation_error_message="image_height must be at least 1.",
            ),
        ),
        migrations.AddConstraint(
            model_name="calibrationframe",
            constraint=models.CheckConstraint(
                condition=models.Q(("gain__gt", float("-inf")), ("gain__lt", float("inf"))),
                name="observations_calibrationframe_gain_finite",
                violation_error_message="gain must be a finite number.",
            ),
        ),
        migrations.AddConstraint(
            model_name="calibrationframe",
            constraint=models.CheckConstraint(
                condition=models.Q(("ccd_temperature_c__gt", float("-inf")), ("ccd_temperature_c__lt", float("inf"))),
                name="observations_calibrationframe_ccd_temperature_c_finite",
                violation_error_message="ccd_temperature_c must be a finite number.",
            ),
        ),
    ]
