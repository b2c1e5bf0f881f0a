import django.core.validators
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import catalog.ids


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("detection", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="LabelDefinition",
            fields=[
                ("id", models.UUIDField(default=catalog.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "label",
                    models.CharField(
                        max_length=64,
                        unique=True,
                        validators=[django.core.validators.RegexValidator("^[a-z][a-z0-9_]*\\Z")],
                    ),
                ),
                ("title", models.CharField(max_length=100)),
                ("description", models.TextField(blank=True)),
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
                        max_length=10,
                    ),
                ),
                ("is_valid", models.BooleanField(help_text="True: something in the sky that this frame shows.")),
                ("is_active", models.BooleanField(default=True)),
                ("position", models.PositiveSmallIntegerField(default=0, help_text="Order of appearance.")),
            ],
            options={
                "ordering": ["position", "label"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("detection_type__in", ["supernova", "variable", "transient", "unknown", "artifact"])
                        ),
                        name="curation_labeldefinition_detection_type_known",
                        violation_error_message="detection_type must be one of supernova, variable, transient, unknown, artifact.",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Alert",
            fields=[
                ("id", models.UUIDField(default=catalog.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "alert_type",
                    models.CharField(
                        choices=[("new", "New"), ("update", "Update"), ("retraction", "Retraction")],
                        default="new",
                        max_length=12,
                    ),
                ),
                (
                    "priority",
                    models.CharField(
                        choices=[("low", "Low"), ("medium", "Medium"), ("high", "High"), ("critical", "Critical")],
                        default="medium",
                        max_length=10,
                    ),
                ),
                ("title", models.CharField(max_length=200)),
                ("message", models.TextField(blank=True)),
                ("alert_metadata", models.JSONField(blank=True, default=dict)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("pending", "Pending"),
                            ("sent", "Sent"),
                            ("delivered", "Delivered"),
                            ("failed", "Failed"),
                            ("cancelled", "Cancelled"),
                        ],
                        default="pending",
                        max_length=10,
                    ),
                ),
                ("sent_at", models.DateTimeField(blank=True, null=True)),
                ("delivery_attempts", models.PositiveIntegerField(default=0)),
                ("error_message", models.TextField(blank=True)),
                (
                    "detection",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="alerts", to="detection.detection"
                    ),
                ),
            ],
            options={
                "ordering": ["-created_at", "-id"],
                "indexes": [
                    models.Index(fields=["status", "created_at"], name="alert_queue"),
                    models.Index(fields=["detection", "created_at"], name="alert_of_detection"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("alert_type__in", ["new", "update", "retraction"])),
                        name="curation_alert_alert_type_known",
                        violation_error_message="alert_type must be one of new, update, retraction.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("priority__in", ["low", "medium", "high", "critical"])),
                        name="curation_alert_priority_known",
                        violation_error_message="priority must be one of low, medium, high, critical.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("status__in", ["pending", "sent", "delivered", "failed", "cancelled"])),
                        name="curation_alert_status_known",
                        violation_error_message="status must be one of pending, sent, delivered, failed, cancelled.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ValidationEvent",
            fields=[
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "id",
                    models.UUIDField(
                        default=catalog.ids.uuid7, help_text="Made by the client.", primary_key=True, serialize=False
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[("verdict", "Verdict"), ("withdrawal", "Withdrawal")], default="verdict", max_length=10
                    ),
                ),
                ("is_valid", models.BooleanField(blank=True, help_text="Null only for a withdrawal.", null=True)),
                ("label", models.CharField(blank=True, max_length=64)),
                (
                    "confidence_level",
                    models.CharField(
                        choices=[("low", "Low"), ("medium", "Medium"), ("high", "High"), ("expert", "Expert")],
                        default="medium",
                        max_length=8,
                    ),
                ),
                ("notes", models.TextField(blank=True)),
                ("tags", models.JSONField(blank=True, default=list)),
                (
                    "image_quality",
                    models.CharField(
                        blank=True,
                        choices=[("excellent", "Excellent"), ("good", "Good"), ("fair", "Fair"), ("poor", "Poor")],
                        max_length=10,
                    ),
                ),
                (
                    "detection_quality",
                    models.CharField(
                        blank=True,
                        choices=[("excellent", "Excellent"), ("good", "Good"), ("fair", "Fair"), ("poor", "Poor")],
                        max_length=10,
                    ),
                ),
                ("seconds_taken", models.FloatField(blank=True, null=True)),
                (
                    "visible_context",
                    models.JSONField(blank=True, default=dict, help_text="What was shown: blind or not."),
                ),
                (
                    "detection",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="validation_events",
                        to="detection.detection",
                    ),
                ),
                (
                    "supersedes",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="superseded_by",
                        to="curation.validationevent",
                    ),
                ),
                (
                    "validator",
                    models.ForeignKey(
                        db_column="validator_id",
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="validation_events",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["created_at", "id"],
                "indexes": [
                    models.Index(fields=["detection", "created_at"], name="validationevent_of_detection"),
                    models.Index(fields=["validator", "-created_at"], name="validationevent_of_person"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ["verdict", "withdrawal"])),
                        name="curation_validationevent_kind_known",
                        violation_error_message="kind must be one of verdict, withdrawal.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("confidence_level__in", ["low", "medium", "high", "expert"])),
                        name="curation_validationevent_confidence_level_known",
                        violation_error_message="confidence_level must be one of low, medium, high, expert.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("image_quality__in", ["", "excellent", "good", "fair", "poor"])),
                        name="curation_validationevent_image_quality_known",
                        violation_error_message="image_quality must be one of excellent, good, fair, poor.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("detection_quality__in", ["", "excellent", "good", "fair", "poor"])),
                        name="curation_validationevent_detection_quality_known",
                        violation_error_message="detection_quality must be one of excellent, good, fair, poor.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("seconds_taken__gte", 0.0), ("seconds_taken__lt", float("inf"))),
                        name="curation_validationevent_seconds_taken_not_negative",
                        violation_error_message="seconds_taken must be 0 or a number above it.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("is_valid__isnull", False), ("kind", "verdict")),
                            models.Q(("kind", "withdrawal"), ("supersedes__isnull", False)),
                            _connector="OR",
                        ),
                        name="curation_validationevent_says_something",
                        violation_error_message="A verdict says valid or not; a withdrawal names what it takes back.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("supersedes__isnull", True),
                            models.Q(("supersedes", models.F("id")), _negated=True),
                            _connector="OR",
                        ),
                        name="curation_validationevent_not_itself",
                        violation_error_message="An event cannot supersede itself.",
                    ),
                ],
            },
        ),
    ]
