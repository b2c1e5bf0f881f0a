import django.db.models.deletion
from django.db import migrations, models

import catalog.failures
import catalog.ids


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("observations", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="CalibrationMaster",
            fields=[
                ("id", models.UUIDField(default=catalog.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "kind",
                    models.CharField(
                        choices=[("bias", "Bias"), ("dark", "Dark"), ("flat", "Flat"), ("sky_flat", "Sky Flat")],
                        max_length=8,
                    ),
                ),
                ("camera", models.CharField(blank=True, max_length=100)),
                ("binning", models.CharField(blank=True, max_length=16)),
                ("gain", models.FloatField(blank=True, null=True)),
                ("readout_mode", models.CharField(blank=True, max_length=64)),
                ("ccd_temperature_c", models.FloatField(blank=True, null=True)),
                ("filter_band", models.CharField(blank=True, max_length=32)),
                ("exposure_time", models.FloatField(blank=True, help_text="Seconds; of a dark.", null=True)),
                ("image_width", models.PositiveIntegerField(blank=True, help_text="Pixels.", null=True)),
                ("image_height", models.PositiveIntegerField(blank=True, help_text="Pixels.", null=True)),
                ("file_path", models.CharField(help_text="Relative to the data root.", max_length=500)),
                ("night", models.DateField(help_text="Of its newest member; its age counts from here.")),
                ("frame_count", models.PositiveIntegerField()),
                ("level", models.FloatField(blank=True, help_text="Median, data units.", null=True)),
                ("noise", models.FloatField(blank=True, help_text="Pixel noise, data units.", null=True)),
                ("inputs_hash", models.CharField(max_length=64)),
                (
                    "light_members",
                    models.ManyToManyField(blank=True, related_name="sky_flats", to="observations.observation"),
                ),
                (
                    "members",
                    models.ManyToManyField(blank=True, related_name="masters", to="observations.calibrationframe"),
                ),
                (
                    "telescope",
                    models.ForeignKey(
                        blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, to="observations.telescope"
                    ),
                ),
            ],
            options={
                "ordering": ["-night", "kind", "id"],
                "indexes": [models.Index(fields=["kind", "camera", "binning", "night"], name="calibrationmaster_key")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ["bias", "dark", "flat", "sky_flat"])),
                        name="preprocessing_calibrationmaster_kind_known",
                        violation_error_message="kind must be one of bias, dark, flat, sky_flat.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("frame_count__gte", 1)),
                        name="preprocessing_calibrationmaster_frame_count_least",
                        violation_error_message="frame_count must be at least 1.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("exposure_time__gte", 0.0), ("exposure_time__lt", float("inf"))),
                        name="preprocessing_calibrationmaster_exposure_time_not_negative",
                        violation_error_message="exposure_time must be 0 or a number above it.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("gain__gt", float("-inf")), ("gain__lt", float("inf"))),
                        name="preprocessing_calibrationmaster_gain_finite",
                        violation_error_message="gain must be a finite number.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("ccd_temperature_c__gt", float("-inf")), ("ccd_temperature_c__lt", float("inf"))
                        ),
                        name="preprocessing_calibrationmaster_ccd_temperature_c_finite",
                        violation_error_message="ccd_temperature_c must be a finite number.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("level__gt", float("-inf")), ("level__lt", float("inf"))),
                        name="preprocessing_calibrationmaster_level_finite",
                        violation_error_message="level must be a finite number.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("noise__gte", 0.0), ("noise__lt", float("inf"))),
                        name="preprocessing_calibrationmaster_noise_not_negative",
                        violation_error_message="noise must be 0 or a number above it.",
                    ),
                    models.UniqueConstraint(
                        fields=("kind", "inputs_hash"), name="preprocessing_calibrationmaster_once"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="PreprocessRun",
            fields=[
                ("id", models.UUIDField(default=catalog.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("pending", "Pending"),
                            ("running", "Running"),
                            ("completed", "Completed"),
                            ("failed", "Failed"),
                        ],
                        default="pending",
                        max_length=16,
                    ),
                ),
                ("started_at", models.DateTimeField(blank=True, null=True)),
                ("completed_at", models.DateTimeField(blank=True, null=True)),
                (
                    "failure_code",
                    models.CharField(blank=True, choices=catalog.failures.failure_code_choices, max_length=40),
                ),
                ("error_message", models.TextField(blank=True)),
                (
                    "config_hash",
                    models.CharField(blank=True, help_text="Hash of the one configuration it used.", max_length=64),
                ),
                ("calibration_applied", models.BooleanField(default=False)),
                ("wcs_aligned", models.BooleanField(default=False)),
                (
                    "registration_quality",
                    models.FloatField(
                        blank=True, help_text="max(0, 1 - rms of the star match / half the FWHM).", null=True
                    ),
                ),
                (
                    "processed_fits_path",
                    models.CharField(blank=True, help_text="Relative to the data root.", max_length=500),
                ),
                ("wcs_info", models.JSONField(blank=True, default=dict)),
                ("processing_time_seconds", models.FloatField(blank=True, null=True)),
                ("retry_count", models.PositiveIntegerField(default=0)),
                (
                    "masters",
                    models.JSONField(blank=True, default=list, help_text="Masters used: kind, id, age in days."),
                ),
                ("background_level", models.FloatField(blank=True, help_text="Median, data units.", null=True)),
                ("background_noise", models.FloatField(blank=True, help_text="Per pixel, data units.", null=True)),
                ("fwhm_px", models.FloatField(blank=True, null=True)),
                ("ellipticity", models.FloatField(blank=True, help_text="1 - b/a of the PSF.", null=True)),
                ("limiting_magnitude", models.FloatField(blank=True, help_text="5 sigma point source.", null=True)),
                ("zero_point_mag", models.FloatField(blank=True, help_text="Magnitude of one count.", null=True)),
                ("zero_point_error", models.FloatField(blank=True, null=True)),
                ("zero_point_catalogue", models.CharField(blank=True, max_length=64)),
                ("zero_point_band", models.CharField(blank=True, max_length=32)),
                (
                    "zero_point_system",
                    models.CharField(blank=True, help_text="AB, Vega or instrumental.", max_length=16),
                ),
                ("masked_share", models.FloatField(blank=True, null=True)),
                (
                    "transparency",
                    models.FloatField(blank=True, help_text="Relative to the field's clearest frame.", null=True),
                ),
                ("star_count", models.PositiveIntegerField(blank=True, null=True)),
                ("inputs_hash", models.CharField(blank=True, max_length=64)),
                (
                    "observation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="preprocess_runs",
                        to="observations.observation",
                    ),
                ),
            ],
            options={
                "ordering": ["-created_at", "-id"],
                "indexes": [
                    models.Index(fields=["status", "created_at"], name="preprocessrun_queue"),
                    models.Index(fields=["observation", "-created_at"], name="preprocessrun_latest"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("status__in", ["pending", "running", "completed", "failed"])),
                        name="preprocessing_preprocessrun_status_known",
                        violation_error_message="status must be one of pending, running, completed, failed.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("status", "failed"), _negated=True),
                            models.Q(
                                models.Q(("failure_code", ""), _negated=True),
                                models.Q(("error_message", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="preprocessing_preprocessrun_status_reason",
                        violation_error_message="What failed needs a failure_code and an error_message.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("status", "completed"), _negated=True), ("failure_code", ""), _connector="OR"
                        ),
                        name="preprocessing_preprocessrun_status_clean",
                        violation_error_message="What completed carries no failure_code.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("registration_quality__gte", 0.0), ("registration_quality__lte", 1.0)),
                        name="preprocessing_preprocessrun_registration_quality_range",
                        violation_error_message="registration_quality must lie between 0.0 and 1.0.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("masked_share__gte", 0.0), ("masked_share__lte", 1.0)),
                        name="preprocessing_preprocessrun_masked_share_range",
                        violation_error_message="masked_share must lie between 0.0 and 1.0.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("ellipticity__gte", 0.0), ("ellipticity__lte", 1.0)),
                        name="preprocessing_preprocessrun_ellipticity_range",
                        violation_error_message="ellipticity must lie between 0.0 and 1.0.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("processing_time_seconds__gte", 0.0), ("processing_time_seconds__lt", float("inf"))
                        ),
                        name="preprocessing_preprocessrun_processing_time_seconds_not_negative",
                        violation_error_message="processing_time_seconds must be 0 or a number above it.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("background_level__gt", float("-inf")), ("background_level__lt", float("inf"))
                        ),
                        name="preprocessing_preprocessrun_background_level_finite",
                        violation_error_message="background_level must be a finite number.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("background_noise__gte", 0.0), ("background_noise__lt", float("inf"))),
                        name="preprocessing_preprocessrun_background_noise_not_negative",
                        violation_error_message="background_noise must be 0 or a number above it.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("fwhm_px__gt", 0.0), ("fwhm_px__lt", float("inf"))),
                        name="preprocessing_preprocessrun_fwhm_px_positive",
                        violation_error_message="fwhm_px must be a number above 0.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("limiting_magnitude__gt", float("-inf")), ("limiting_magnitude__lt", float("inf"))
                        ),
                        name="preprocessing_preprocessrun_limiting_magnitude_finite",
                        violation_error_message="limiting_magnitude must be a finite number.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("zero_point_mag__gt", float("-inf")), ("zero_point_mag__lt", float("inf"))),
                        name="preprocessing_preprocessrun_zero_point_mag_finite",
                        violation_error_message="zero_point_mag must be a finite number.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("zero_point_error__gte", 0.0), ("zero_point_error__lt", float("inf"))),
                        name="preprocessing_preprocessrun_zero_point_error_not_negative",
                        violation_error_message="zero_point_error must be 0 or a number above it.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("transparency__gte", 0.0), ("transparency__lt", float("inf"))),
                        name="preprocessing_preprocessrun_transparency_not_negative",
                        violation_error_message="transparency must be 0 or a number above it.",
                    ),
                    models.UniqueConstraint(
                        fields=("observation", "inputs_hash", "config_hash"), name="preprocessing_preprocessrun_once"
                    ),
                ],
            },
        ),
    ]
