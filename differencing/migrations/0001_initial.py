import django.db.models.deletion
from django.db import migrations, models

import catalog.failures
import catalog.ids
import observations.sky


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("observations", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="DifferenceRun",
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
                ("algorithm", models.CharField(default="zogy", max_length=32)),
                ("parameters", models.JSONField(blank=True, default=dict, help_text="Every value used.")),
                ("parameters_hash", models.CharField(blank=True, max_length=64)),
                ("inputs_hash", models.CharField(blank=True, max_length=64)),
                (
                    "difference_image_path",
                    models.CharField(blank=True, help_text="Relative to the data root.", max_length=500),
                ),
                (
                    "significance_map_path",
                    models.CharField(blank=True, help_text="Relative to the data root.", max_length=500),
                ),
                (
                    "reference_aligned_path",
                    models.CharField(blank=True, help_text="Relative to the data root.", max_length=500),
                ),
                (
                    "noise_level",
                    models.FloatField(blank=True, help_text="Per pixel of the difference, science ADU.", null=True),
                ),
                ("detection_threshold", models.FloatField(blank=True, help_text="Sigma.", null=True)),
                (
                    "candidates_found",
                    models.PositiveIntegerField(blank=True, help_text="Null until it is known.", null=True),
                ),
                ("registration_rms_px", models.FloatField(blank=True, null=True)),
                ("matched_stars", models.PositiveIntegerField(blank=True, null=True)),
                (
                    "noise_rescale",
                    models.FloatField(
                        blank=True, help_text="Empirical rescaling of the score that was left; 1 is perfect.", null=True
                    ),
                ),
                ("processing_time_seconds", models.FloatField(blank=True, null=True)),
                ("retry_count", models.PositiveIntegerField(default=0)),
                (
                    "observation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="difference_runs",
                        to="observations.observation",
                    ),
                ),
                (
                    "reference_observation",
                    models.ForeignKey(
                        blank=True,
                        help_text="For a stack, its best member; null while waiting.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="difference_runs_as_reference",
                        to="observations.observation",
                    ),
                ),
            ],
            options={
                "ordering": ["-created_at", "-id"],
            },
        ),
        migrations.CreateModel(
            name="Candidate",
            fields=[
                ("id", models.UUIDField(default=catalog.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                ("ra", models.FloatField(help_text="Right ascension, ICRS degrees.")),
                ("dec", models.FloatField(help_text="Declination, ICRS degrees.")),
                ("healpix", observations.sky.HealpixField()),
                ("pixel_x", models.FloatField(help_text="0-based in the science frame's raw grid, fractions kept.")),
                ("pixel_y", models.FloatField(help_text="0-based in the science frame's raw grid, fractions kept.")),
                ("flux", models.FloatField(help_text="Signed, science ADU.")),
                ("flux_error", models.FloatField(help_text="Science ADU.")),
                ("significance", models.FloatField(help_text="Signed S_corr at the interpolated peak, sigma.")),
                ("snr", models.FloatField(help_text="Signed PSF flux / its error with the source's own noise.")),
                ("fwhm", models.FloatField(blank=True, help_text="Pixels.", null=True)),
                ("ellipticity", models.FloatField(blank=True, help_text="1 - b/a.", null=True)),
                (
                    "position_angle",
                    models.FloatField(
                        blank=True, help_text="Degrees east of north; null without a solved WCS.", null=True
                    ),
                ),
                ("is_saturated", models.BooleanField(default=False)),
                ("is_blended", models.BooleanField(default=False)),
                ("is_edge", models.BooleanField(default=False)),
                ("is_negative", models.BooleanField(default=False)),
                ("is_dipole", models.BooleanField(default=False)),
                (
                    "is_reference_ghost",
                    models.BooleanField(default=False, help_text="A source of the reference that has moved or faded."),
                ),
                ("masked_share", models.FloatField(default=0.0, help_text="Of the core.")),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("pending", "Pending"),
                            ("processing", "Processing"),
                            ("detected", "Detected"),
                            ("rejected", "Rejected"),
                            ("duplicate", "Duplicate"),
                        ],
                        default="pending",
                        max_length=16,
                    ),
                ),
                (
                    "observation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="candidates",
                        to="observations.observation",
                    ),
                ),
                (
                    "difference_run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="candidates",
                        to="differencing.differencerun",
                    ),
                ),
            ],
            options={
                "ordering": ["-significance", "id"],
            },
        ),
        migrations.CreateModel(
            name="Reference",
            fields=[
                ("id", models.UUIDField(default=catalog.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                ("filter_band", models.CharField(max_length=32)),
                ("version", models.PositiveIntegerField(default=1)),
                ("file_path", models.CharField(help_text="Relative to the data root.", max_length=500)),
                ("depth_mag", models.FloatField(blank=True, help_text="5 sigma point source.", null=True)),
                ("is_active", models.BooleanField(default=False, help_text="Promoted explicitly.")),
                (
                    "excluded_night",
                    models.DateField(blank=True, help_text="Night it was made for, and has nothing of.", null=True),
                ),
                ("inputs_hash", models.CharField(max_length=64)),
                (
                    "best_member",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="best_of_references",
                        to="observations.observation",
                    ),
                ),
                (
                    "field",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="references", to="observations.field"
                    ),
                ),
                ("members", models.ManyToManyField(related_name="references", to="observations.observation")),
            ],
            options={
                "ordering": ["field", "filter_band", "-version"],
            },
        ),
        migrations.AddField(
            model_name="differencerun",
            name="reference",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="difference_runs",
                to="differencing.reference",
            ),
        ),
        migrations.CreateModel(
            name="Tracklet",
            fields=[
                ("id", models.UUIDField(default=catalog.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                ("night", models.DateField()),
                ("rate_arcsec_per_min", models.FloatField()),
                (
                    "position_angle",
                    models.FloatField(blank=True, help_text="Of the motion, degrees east of north.", null=True),
                ),
                ("rms_arcsec", models.FloatField(help_text="Scatter about the line.")),
                (
                    "field",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="tracklets", to="observations.field"
                    ),
                ),
                ("members", models.ManyToManyField(related_name="tracklets", to="differencing.candidate")),
            ],
            options={
                "ordering": ["-night", "id"],
            },
        ),
        migrations.AddIndex(
            model_name="candidate",
            index=models.Index(fields=["healpix"], include=("ra", "dec", "id"), name="candidate_sky"),
        ),
        migrations.AddIndex(
            model_name="candidate",
            index=models.Index(fields=["status", "created_at"], name="candidate_queue"),
        ),
        migrations.AddIndex(
            model_name="candidate",
            index=models.Index(fields=["difference_run", "-significance"], name="candidate_of_run"),
        ),
        migrations.AddConstraint(
            model_name="candidate",
            constraint=models.CheckConstraint(
                condition=models.Q(("ra__gte", 0.0), ("ra__lt", 360.0)),
                name="differencing_candidate_ra_range",
                violation_error_message="ra must lie in [0, 360) degrees.",
            ),
        ),
        migrations.AddConstraint(
            model_name="candidate",
            constraint=models.CheckConstraint(
                condition=models.Q(("dec__gte", -90.0), ("dec__lte", 90.0)),
                name="differencing_candidate_dec_range",
                violation_error_message="dec must lie between -90.0 and 90.0.",
            ),
        ),
        migrations.AddConstraint(
            model_name="candidate",
            constraint=models.CheckConstraint(
                condition=models.Q(("status__in", ["pending", "processing", "detected", "rejected", "duplicate"])),
                name="differencing_candidate_status_known",
                violation_error_message="status must be one of pending, processing, detected, rejected, duplicate.",
            ),
        ),
        migrations.AddConstraint(
            model_name="candidate",
            constraint=models.CheckConstraint(
                condition=models.Q(("pixel_x__gt", float("-inf")), ("pixel_x__lt", float("inf"))),
                name="differencing_candidate_pixel_x_finite",
                violation_error_message="pixel_x must be a finite number.",
            ),
        ),
        migrations.AddConstraint(
            model_name="candidate",
            constraint=models.CheckConstraint(
                condition=models.Q(("pixel_y__gt", float("-inf")), ("pixel_y__lt", float("inf"))),
                name="differencing_candidate_pixel_y_finite",
                violation_error_message="pixel_y must be a finite number.",
            ),
        ),
        migrations.AddConstraint(
            model_name="candidate",
            constraint=models.CheckConstraint(
                condition=models.Q(("flux__gt", float("-inf")), ("flux__lt", float("inf"))),
                name="differencing_candidate_flux_finite",
                violation_error_message="flux must be a finite number.",
            ),
        ),
        migrations.AddConstraint(
            model_name="candidate",
            constraint=models.CheckConstraint(
                condition=models.Q(("flux_error__gt", 0.0), ("flux_error__lt", float("inf"))),
                name="differencing_candidate_flux_error_positive",
                violation_error_message="flux_error must be a number above 0.",
            ),
        ),
        migrations.AddConstraint(
            model_name="candidate",
            constraint=models.CheckConstraint(
                condition=models.Q(("significance__gt", float("-inf")), ("significance__lt", float("inf"))),
                name="differencing_candidate_significance_finite",
                violation_error_message="significance must be a finite number.",
            ),
        ),
        migrations.AddConstraint(
            model_name="candidate",
            constraint=models.CheckConstraint(
                condition=models.Q(("snr__gt", float("-inf")), ("snr__lt", float("inf"))),
                name="differencing_candidate_snr_finite",
                violation_error_message="snr must be a finite number.",
            ),
        ),
        migrations.AddConstraint(
            model_name="candidate",
            constraint=models.CheckConstraint(
                condition=models.Q(("fwhm__gt", 0.0), ("fwhm__lt", float("inf"))),
                name="differencing_candidate_fwhm_positive",
                violation_error_message="fwhm must be a number above 0.",
            ),
        ),
        migrations.AddConstraint(
            model_name="candidate",
            constraint=models.CheckConstraint(
                condition=models.Q(("ellipticity__gte", 0.0), ("ellipticity__lte", 1.0)),
                name="differencing_candidate_ellipticity_range",
                violation_error_message="ellipticity must lie between 0.0 and 1.0.",
            ),
        ),
        migrations.AddConstraint(
            model_name="candidate",
            constraint=models.CheckConstraint(
                condition=models.Q(("position_angle__gte", -180.0), ("position_angle__lte", 360.0)),
                name="differencing_candidate_position_angle_range",
                violation_error_message="position_angle must lie between -180.0 and 360.0.",
            ),
        ),
        migrations.AddConstraint(
            model_name="candidate",
            constraint=models.CheckConstraint(
                condition=models.Q(("masked_share__gte", 0.0), ("masked_share__lte", 1.0)),
                name="differencing_candidate_masked_share_range",
                violation_error_message="masked_share must lie between 0.0 and 1.0.",
            ),
        ),
        migrations.AddConstraint(
            model_name="reference",
            constraint=models.CheckConstraint(
                condition=models.Q(("version__gte", 1)),
                name="differencing_reference_version_least",
                violation_error_message="version must be at least 1.",
            ),
        ),
        migrations.AddConstraint(
            model_name="reference",
            constraint=models.CheckConstraint(
                condition=models.Q(("depth_mag__gt", float("-inf")), ("depth_mag__lt", float("inf"))),
                name="differencing_reference_depth_mag_finite",
                violation_error_message="depth_mag must be a finite number.",
            ),
        ),
        migrations.AddConstraint(
            model_name="reference",
            constraint=models.UniqueConstraint(
                fields=("field", "filter_band", "version"), name="differencing_reference_version"
            ),
        ),
        migrations.AddConstraint(
            model_name="reference",
            constraint=models.UniqueConstraint(
                fields=("field", "filter_band", "inputs_hash"), name="differencing_reference_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="reference",
            constraint=models.UniqueConstraint(
                condition=models.Q(("is_active", True)),
                fields=("field", "filter_band", "excluded_night"),
                name="differencing_reference_one_active",
                nulls_distinct=False,
            ),
        ),
        migrations.AddIndex(
            model_name="differencerun",
            index=models.Index(fields=["status", "created_at"], name="differencerun_queue"),
        ),
        migrations.AddIndex(
            model_name="differencerun",
            index=models.Index(fields=["observation", "-created_at"], name="differencerun_latest"),
        ),
        migrations.AddConstraint(
            model_name="differencerun",
            constraint=models.CheckConstraint(
                condition=models.Q(("status__in", ["pending", "running", "completed", "failed"])),
                name="differencing_differencerun_status_known",
                violation_error_message="status must be one of pending, running, completed, failed.",
            ),
        ),
        migrations.AddConstraint(
            model_name="differencerun",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("status", "failed"), _negated=True),
                    models.Q(
                        models.Q(("failure_code", ""), _negated=True), models.Q(("error_message", ""), _negated=True)
                    ),
                    _connector="OR",
                ),
                name="differencing_differencerun_status_reason",
                violation_error_message="What failed needs a failure_code and an error_message.",
            ),
        ),
        migrations.AddConstraint(
            model_name="differencerun",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("status", "completed"), _negated=True), ("failure_code", ""), _connector="OR"
                ),
                name="differencing_differencerun_status_clean",
                violation_error_message="What completed carries no failure_code.",
            ),
        ),
        migrations.AddConstraint(
            model_name="differencerun",
            constraint=models.CheckConstraint(
                condition=models.Q(("noise_level__gte", 0.0), ("noise_level__lt", float("inf"))),
                name="differencing_differencerun_noise_level_not_negative",
                violation_error_message="noise_level must be 0 or a number above it.",
            ),
        ),
        migrations.AddConstraint(
            model_name="differencerun",
            constraint=models.CheckConstraint(
                condition=models.Q(("detection_threshold__gt", 0.0), ("detection_threshold__lt", float("inf"))),
                name="differencing_differencerun_detection_threshold_positive",
                violation_error_message="detection_threshold must be a number above 0.",
            ),
        ),
        migrations.AddConstraint(
            model_name="differencerun",
            constraint=models.CheckConstraint(
                condition=models.Q(("registration_rms_px__gte", 0.0), ("registration_rms_px__lt", float("inf"))),
                name="differencing_differencerun_registration_rms_px_not_negative",
                violation_error_message="registration_rms_px must be 0 or a number above it.",
            ),
        ),
        migrations.AddConstraint(
            model_name="differencerun",
            constraint=models.CheckConstraint(
                condition=models.Q(("noise_rescale__gt", 0.0), ("noise_rescale__lt", float("inf"))),
                name="differencing_differencerun_noise_rescale_positive",
                violation_error_message="noise_rescale must be a number above 0.",
            ),
        ),
        migrations.AddConstraint(
            model_name="differencerun",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("processing_time_seconds__gte", 0.0), ("processing_time_seconds__lt", float("inf"))
                ),
                name="differencing_differencerun_processing_time_seconds_not_negative",
                violation_error_message="processing_time_seconds must be 0 or a number above it.",
            ),
        ),
        migrations.AddConstraint(
            model_name="differencerun",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("status", "completed"), _negated=True),
                    models.Q(("candidates_found__isnull", False), ("reference_observation__isnull", False)),
                    _connector="OR",
                ),
                name="differencing_differencerun_completed_has_reference",
                violation_error_message="A completed run names its reference and its number of candidates.",
            ),
        ),
        migrations.AddConstraint(
            model_name="differencerun",
            constraint=models.CheckConstraint(
                condition=models.Q(("reference_observation", models.F("observation")), _negated=True),
                name="differencing_differencerun_not_itself",
                violation_error_message="An observation is never its own reference.",
            ),
        ),
        migrations.AddConstraint(
            model_name="differencerun",
            constraint=models.UniqueConstraint(
                fields=("observation", "reference_observation", "reference", "algorithm", "parameters_hash"),
                name="differencing_differencerun_once",
                nulls_distinct=False,
            ),
        ),
        migrations.AddIndex(
            model_name="tracklet",
            index=models.Index(fields=["field", "night"], name="tracklet_night"),
        ),
        migrations.AddConstraint(
            model_name="tracklet",
            constraint=models.CheckConstraint(
                condition=models.Q(("rate_arcsec_per_min__gte", 0.0), ("rate_arcsec_per_min__lt", float("inf"))),
                name="differencing_tracklet_rate_arcsec_per_min_not_negative",
                violation_error_message="rate_arcsec_per_min must be 0 or a number above it.",
            ),
        ),
        migrations.AddConstraint(
            model_name="tracklet",
            constraint=models.CheckConstraint(
                condition=models.Q(("position_angle__gte", -180.0), ("position_angle__lte", 360.0)),
                name="differencing_tracklet_position_angle_range",
                violation_error_message="position_angle must lie between -180.0 and 360.0.",
            ),
        ),
        migrations.AddConstraint(
            model_name="tracklet",
            constraint=models.CheckConstraint(
                condition=models.Q(("rms_arcsec__gte", 0.0), ("rms_arcsec__lt", float("inf"))),
                name="differencing_tracklet_rms_arcsec_not_negative",
                violation_error_message="rms_arcsec must be 0 or a number above it.",
            ),
        ),
    ]
