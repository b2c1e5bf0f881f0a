import django.db.models.deletion
from django.db import migrations, models

import catalog.failures
import catalog.ids
import observations.sky


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("differencing", "0001_initial"),
        ("observations", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Model",
            fields=[
                ("id", models.UUIDField(default=catalog.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                ("name", models.CharField(max_length=100)),
                ("version", models.CharField(max_length=50)),
                (
                    "model_type",
                    models.CharField(
                        choices=[
                            ("unet", "Unet"),
                            ("anomaly_detector", "Anomaly Detector"),
                            ("classifier", "Classifier"),
                            ("segmentation", "Segmentation"),
                        ],
                        max_length=20,
                    ),
                ),
                ("architecture", models.CharField(blank=True, max_length=100)),
                ("hyperparameters", models.JSONField(blank=True, default=dict)),
                ("training_dataset", models.CharField(blank=True, max_length=500)),
                ("training_metrics", models.JSONField(blank=True, default=dict)),
                ("precision", models.FloatField(blank=True, null=True)),
                ("recall", models.FloatField(blank=True, null=True)),
                ("f1_score", models.FloatField(blank=True, null=True)),
                ("accuracy", models.FloatField(blank=True, null=True)),
                ("is_active", models.BooleanField(default=False, help_text="At most one of a type.")),
                ("deployment_date", models.DateTimeField(blank=True, null=True)),
                ("model_path", models.CharField(blank=True, help_text="Relative to the data root.", max_length=500)),
                ("mlflow_run_id", models.CharField(blank=True, max_length=64)),
                ("weights_sha256", models.CharField(blank=True, max_length=64)),
            ],
            options={
                "ordering": ["name", "-created_at"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("model_type__in", ["unet", "anomaly_detector", "classifier", "segmentation"])
                        ),
                        name="detection_model_model_type_known",
                        violation_error_message="model_type must be one of unet, anomaly_detector, classifier, segmentation.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("precision__gte", 0.0), ("precision__lte", 1.0)),
                        name="detection_model_precision_range",
                        violation_error_message="precision must lie between 0.0 and 1.0.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("recall__gte", 0.0), ("recall__lte", 1.0)),
                        name="detection_model_recall_range",
                        violation_error_message="recall must lie between 0.0 and 1.0.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("f1_score__gte", 0.0), ("f1_score__lte", 1.0)),
                        name="detection_model_f1_score_range",
                        violation_error_message="f1_score must lie between 0.0 and 1.0.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("accuracy__gte", 0.0), ("accuracy__lte", 1.0)),
                        name="detection_model_accuracy_range",
                        violation_error_message="accuracy must lie between 0.0 and 1.0.",
                    ),
                    models.UniqueConstraint(fields=("name", "version"), name="detection_model_name_version"),
                    models.UniqueConstraint(
                        condition=models.Q(("is_active", True)),
                        fields=("model_type",),
                        name="detection_model_one_active_per_type",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("is_active", False),
                            models.Q(
                                models.Q(("model_path", ""), _negated=True),
                                models.Q(("weights_sha256", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="detection_model_active_has_weights",
                        violation_error_message="An active model has weights and their sha256.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ModelRun",
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
                (
                    "input_image_path",
                    models.CharField(blank=True, help_text="Relative to the data root.", max_length=500),
                ),
                (
                    "output_mask_path",
                    models.CharField(blank=True, help_text="Relative to the data root.", max_length=500),
                ),
                (
                    "confidence_map_path",
                    models.CharField(blank=True, help_text="Relative to the data root.", max_length=500),
                ),
                ("inference_time_ms", models.FloatField(blank=True, null=True)),
                ("memory_usage_mb", models.FloatField(blank=True, null=True)),
                (
                    "total_predictions",
                    models.PositiveIntegerField(blank=True, help_text="Null until it is known.", null=True),
                ),
                ("high_confidence_predictions", models.PositiveIntegerField(blank=True, null=True)),
                (
                    "model",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="runs", to="detection.model"
                    ),
                ),
                (
                    "observation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="model_runs",
                        to="observations.observation",
                    ),
                ),
            ],
            options={
                "ordering": ["-created_at", "-id"],
            },
        ),
        migrations.CreateModel(
            name="CandidateScore",
            fields=[
                ("id", models.UUIDField(default=catalog.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                ("score", models.FloatField(help_text="1 = real, 0 = bogus.")),
                ("weights_sha256", models.CharField(max_length=64)),
                (
                    "candidate",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="scores", to="differencing.candidate"
                    ),
                ),
                (
                    "model",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="scores", to="detection.model"
                    ),
                ),
                (
                    "model_run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="scores", to="detection.modelrun"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Source",
            fields=[
                ("id", models.UUIDField(default=catalog.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                ("ra", models.FloatField(help_text="Right ascension, ICRS degrees.")),
                ("dec", models.FloatField(help_text="Declination, ICRS degrees.")),
                ("healpix", observations.sky.HealpixField()),
                ("name", models.CharField(blank=True, db_index=True, max_length=100)),
                ("position_error_arcsec", models.FloatField()),
                ("first_detected_at", models.DateTimeField(blank=True, null=True)),
                ("last_detected_at", models.DateTimeField(blank=True, null=True)),
                ("detection_count", models.PositiveIntegerField(default=0)),
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
            ],
            options={
                "ordering": ["-last_detected_at", "id"],
                "indexes": [
                    models.Index(fields=["healpix"], include=("ra", "dec", "id"), name="source_sky"),
                    models.Index(fields=["-last_detected_at", "id"], name="source_latest"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("ra__gte", 0.0), ("ra__lt", 360.0)),
                        name="detection_source_ra_range",
                        violation_error_message="ra must lie in [0, 360) degrees.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("dec__gte", -90.0), ("dec__lte", 90.0)),
                        name="detection_source_dec_range",
                        violation_error_message="dec must lie between -90.0 and 90.0.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("position_error_arcsec__gt", 0.0), ("position_error_arcsec__lt", float("inf"))
                        ),
                        name="detection_source_position_error_arcsec_positive",
                        violation_error_message="position_error_arcsec must be a number above 0.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("wcs_quality__in", ["solved", "header", "nominal"])),
                        name="detection_source_wcs_quality_known",
                        violation_error_message="wcs_quality must be one of solved, header, nominal.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Detection",
            fields=[
                ("id", models.UUIDField(default=catalog.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                ("ra", models.FloatField(help_text="Right ascension, ICRS degrees.")),
                ("dec", models.FloatField(help_text="Declination, ICRS degrees.")),
                ("healpix", observations.sky.HealpixField()),
                (
                    "origin",
                    models.CharField(
                        choices=[("pipeline", "Pipeline"), ("imported", "another stream's packet")],
                        default="pipeline",
                        max_length=10,
                    ),
                ),
                ("pixel_x", models.FloatField(help_text="0-based in the science frame's raw grid.")),
                ("pixel_y", models.FloatField(help_text="0-based in the science frame's raw grid.")),
                ("confidence_score", models.FloatField(help_text="1 = real, 0 = bogus; of `model_version`.")),
                (
                    "detection_type",
                    models.CharField(
                        choices=[
                            ("supernova", "supernova candidate"),
                            ("variable", "Variable"),
                            ("transient", "Transient"),
                            ("unknown", "Unknown"),
                            ("artifact", "Artifact"),
                        ],
                        default="unknown",
                        max_length=10,
                    ),
                ),
                ("model_version", models.CharField(help_text="Name and version of the model.", max_length=160)),
                ("inference_time_ms", models.FloatField(blank=True, null=True)),
                ("prediction_metadata", models.JSONField(blank=True, default=dict)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("pending", "Pending"),
                            ("validating", "leased to someone"),
                            ("validated", "curators agree that it is astrophysical"),
                            ("rejected", "Rejected"),
                            ("confirmed", "independent evidence is cited"),
                            ("archived", "Archived"),
                        ],
                        default="pending",
                        max_length=10,
                    ),
                ),
                ("is_validated", models.BooleanField(default=False)),
                (
                    "validation_confidence",
                    models.FloatField(blank=True, help_text="Weighted share of the answers that agree.", null=True),
                ),
                ("human_label", models.CharField(blank=True, max_length=64)),
                ("cutouts_path", models.CharField(blank=True, help_text="Relative to the data root.", max_length=500)),
                (
                    "candidate",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="detections",
                        to="differencing.candidate",
                    ),
                ),
                (
                    "observation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="detections",
                        to="observations.observation",
                    ),
                ),
                (
                    "model_run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="detections", to="detection.modelrun"
                    ),
                ),
                (
                    "source",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="detections",
                        to="detection.source",
                    ),
                ),
            ],
            options={
                "ordering": ["-confidence_score", "id"],
            },
        ),
        migrations.AddIndex(
            model_name="modelrun",
            index=models.Index(fields=["status", "created_at"], name="modelrun_queue"),
        ),
        migrations.AddIndex(
            model_name="modelrun",
            index=models.Index(fields=["observation", "-created_at"], name="modelrun_latest"),
        ),
        migrations.AddConstraint(
            model_name="modelrun",
            constraint=models.CheckConstraint(
                condition=models.Q(("status__in", ["pending", "running", "completed", "failed"])),
                name="detection_modelrun_status_known",
                violation_error_message="status must be one of pending, running, completed, failed.",
            ),
        ),
        migrations.AddConstraint(
            model_name="modelrun",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("status", "failed"), _negated=True),
                    models.Q(
                        models.Q(("failure_code", ""), _negated=True), models.Q(("error_message", ""), _negated=True)
                    ),
                    _connector="OR",
                ),
                name="detection_modelrun_status_reason",
                violation_error_message="What failed needs a failure_code and an error_message.",
            ),
        ),
        migrations.AddConstraint(
            model_name="modelrun",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("status", "completed"), _negated=True), ("failure_code", ""), _connector="OR"
                ),
                name="detection_modelrun_status_clean",
                violation_error_message="What completed carries no failure_code.",
            ),
        ),
        migrations.AddConstraint(
            model_name="modelrun",
            constraint=models.CheckConstraint(
                condition=models.Q(("inference_time_ms__gte", 0.0), ("inference_time_ms__lt", float("inf"))),
                name="detection_modelrun_inference_time_ms_not_negative",
                violation_error_message="inference_time_ms must be 0 or a number above it.",
            ),
        ),
        migrations.AddConstraint(
            model_name="modelrun",
            constraint=models.CheckConstraint(
                condition=models.Q(("memory_usage_mb__gte", 0.0), ("memory_usage_mb__lt", float("inf"))),
                name="detection_modelrun_memory_usage_mb_not_negative",
                violation_error_message="memory_usage_mb must be 0 or a number above it.",
            ),
        ),
        migrations.AddConstraint(
            model_name="modelrun",
            constraint=models.UniqueConstraint(
                fields=("model", "observation", "input_image_path"), name="detection_modelrun_once"
            ),
        ),
        migrations.AddIndex(
            model_name="candidatescore",
            index=models.Index(fields=["model", "score"], name="candidatescore_by_score"),
        ),
        migrations.AddConstraint(
            model_name="candidatescore",
            constraint=models.CheckConstraint(
                condition=models.Q(("score__gte", 0.0), ("score__lte", 1.0)),
                name="detection_candidatescore_score_range",
                violation_error_message="score must lie between 0.0 and 1.0.",
            ),
        ),
        migrations.AddConstraint(
            model_name="candidatescore",
            constraint=models.UniqueConstraint(fields=("candidate", "model"), name="detection_candidatescore_once"),
        ),
        migrations.AddConstraint(
            model_name="candidatescore",
            constraint=models.CheckConstraint(
                condition=models.Q(("weights_sha256", ""), _negated=True),
                name="detection_candidatescore_has_weights",
                violation_error_message="A score names the weights that gave it.",
            ),
        ),
        migrations.AddIndex(
            model_name="detection",
            index=models.Index(fields=["healpix"], include=("ra", "dec", "id"), name="detection_sky"),
        ),
        migrations.AddIndex(
            model_name="detection",
            index=models.Index(fields=["status", "-confidence_score", "id"], name="detection_queue"),
        ),
        migrations.AddIndex(
            model_name="detection",
            index=models.Index(fields=["source", "created_at"], name="detection_of_source"),
        ),
        migrations.AddIndex(
            model_name="detection",
            index=models.Index(fields=["observation", "-confidence_score"], name="detection_of_observation"),
        ),
        migrations.AddIndex(
            model_name="detection",
            index=models.Index(fields=["-created_at", "-id"], name="detection_latest"),
        ),
        migrations.AddConstraint(
            model_name="detection",
            constraint=models.CheckConstraint(
                condition=models.Q(("ra__gte", 0.0), ("ra__lt", 360.0)),
                name="detection_detection_ra_range",
                violation_error_message="ra must lie in [0, 360) degrees.",
            ),
        ),
        migrations.AddConstraint(
            model_name="detection",
            constraint=models.CheckConstraint(
                condition=models.Q(("dec__gte", -90.0), ("dec__lte", 90.0)),
                name="detection_detection_dec_range",
                violation_error_message="dec must lie between -90.0 and 90.0.",
            ),
        ),
        migrations.AddConstraint(
            model_name="detection",
            constraint=models.CheckConstraint(
                condition=models.Q(("origin__in", ["pipeline", "imported"])),
                name="detection_detection_origin_known",
                violation_error_message="origin must be one of pipeline, imported.",
            ),
        ),
        migrations.AddConstraint(
            model_name="detection",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("detection_type__in", ["supernova", "variable", "transient", "unknown", "artifact"])
                ),
                name="detection_detection_detection_type_known",
                violation_error_message="detection_type must be one of supernova, variable, transient, unknown, artifact.",
            ),
        ),
        migrations.AddConstraint(
            model_name="detection",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("status__in", ["pending", "validating", "validated", "rejected", "confirmed", "archived"])
                ),
                name="detection_detection_status_known",
                violation_error_message="status must be one of pending, validating, validated, rejected, confirmed, archived.",
            ),
        ),
        migrations.AddConstraint(
            model_name="detection",
            constraint=models.CheckConstraint(
                condition=models.Q(("pixel_x__gt", float("-inf")), ("pixel_x__lt", float("inf"))),
                name="detection_detection_pixel_x_finite",
                violation_error_message="pixel_x must be a finite number.",
            ),
        ),
        migrations.AddConstraint(
            model_name="detection",
            constraint=models.CheckConstraint(
                condition=models.Q(("pixel_y__gt", float("-inf")), ("pixel_y__lt", float("inf"))),
                name="detection_detection_pixel_y_finite",
                violation_error_message="pixel_y must be a finite number.",
            ),
        ),
        migrations.AddConstraint(
            model_name="detection",
            constraint=models.CheckConstraint(
                condition=models.Q(("confidence_score__gte", 0.0), ("confidence_score__lte", 1.0)),
                name="detection_detection_confidence_score_range",
                violation_error_message="confidence_score must lie between 0.0 and 1.0.",
            ),
        ),
        migrations.AddConstraint(
            model_name="detection",
            constraint=models.CheckConstraint(
                condition=models.Q(("validation_confidence__gte", 0.0), ("validation_confidence__lte", 1.0)),
                name="detection_detection_validation_confidence_range",
                violation_error_message="validation_confidence must lie between 0.0 and 1.0.",
            ),
        ),
        migrations.AddConstraint(
            model_name="detection",
            constraint=models.CheckConstraint(
                condition=models.Q(("inference_time_ms__gte", 0.0), ("inference_time_ms__lt", float("inf"))),
                name="detection_detection_inference_time_ms_not_negative",
                violation_error_message="inference_time_ms must be 0 or a number above it.",
            ),
        ),
        migrations.AddConstraint(
            model_name="detection",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("candidate__isnull", True), ("origin", "imported")),
                    models.Q(("candidate__isnull", False), ("origin", "pipeline")),
                    _connector="OR",
                ),
                name="detection_detection_origin_and_candidate",
                violation_error_message="Only an imported detection has no candidate.",
            ),
        ),
        migrations.AddConstraint(
            model_name="detection",
            constraint=models.UniqueConstraint(fields=("candidate",), name="detection_detection_one_per_candidate"),
        ),
    ]
