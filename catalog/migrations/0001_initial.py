import django.contrib.auth.validators
import django.core.serializers.json
import django.utils.timezone
from django.db import migrations, models

import catalog.failures
import catalog.ids


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
    ]

    operations = [
        migrations.CreateModel(
            name="SystemConfig",
            fields=[
                ("id", models.UUIDField(default=catalog.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                ("key", models.CharField(max_length=100, unique=True)),
                ("value", models.JSONField()),
                ("description", models.TextField(blank=True)),
                ("is_active", models.BooleanField(default=True, help_text="Inactive: the declared default is used.")),
            ],
            options={
                "verbose_name": "system configuration",
                "verbose_name_plural": "system configuration",
                "ordering": ["key"],
            },
        ),
        migrations.CreateModel(
            name="User",
            fields=[
                ("password", models.CharField(max_length=128, verbose_name="password")),
                ("last_login", models.DateTimeField(blank=True, null=True, verbose_name="last login")),
                (
                    "is_superuser",
                    models.BooleanField(
                        default=False,
                        help_text="Designates that this user has all permissions without explicitly assigning them.",
                        verbose_name="superuser status",
                    ),
                ),
                (
                    "username",
                    models.CharField(
                        error_messages={"unique": "A user with that username already exists."},
                        help_text="Required. 150 characters or fewer. Letters, digits and @/./+/-/_ only.",
                        max_length=150,
                        unique=True,
                        validators=[django.contrib.auth.validators.UnicodeUsernameValidator()],
                        verbose_name="username",
                    ),
                ),
                ("first_name", models.CharField(blank=True, max_length=150, verbose_name="first name")),
                ("last_name", models.CharField(blank=True, max_length=150, verbose_name="last name")),
                ("email", models.EmailField(blank=True, max_length=254, verbose_name="email address")),
                (
                    "is_staff",
                    models.BooleanField(
                        default=False,
                        help_text="Designates whether the user can log into this admin site.",
                        verbose_name="staff status",
                    ),
                ),
                (
                    "is_active",
                    models.BooleanField(
                        default=True,
                        help_text="Designates whether this user should be treated as active. Unselect this instead of deleting accounts.",
                        verbose_name="active",
                    ),
                ),
                ("date_joined", models.DateTimeField(default=django.utils.timezone.now, verbose_name="date joined")),
                ("id", models.UUIDField(default=catalog.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "groups",
                    models.ManyToManyField(
                        blank=True,
                        help_text="The groups this user belongs to. A user will get all permissions granted to each of their groups.",
                        related_name="user_set",
                        related_query_name="user",
                        to="auth.group",
                        verbose_name="groups",
                    ),
                ),
                (
                    "user_permissions",
                    models.ManyToManyField(
                        blank=True,
                        help_text="Specific permissions for this user.",
                        related_name="user_set",
                        related_query_name="user",
                        to="auth.permission",
                        verbose_name="user permissions",
                    ),
                ),
            ],
            options={
                "verbose_name": "user",
                "verbose_name_plural": "users",
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="AuditLog",
            fields=[
                ("id", models.UUIDField(default=catalog.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                ("entity_type", models.CharField(max_length=64)),
                ("entity_id", models.CharField(max_length=64)),
                ("action", models.CharField(max_length=64)),
                (
                    "user",
                    models.CharField(
                        blank=True, help_text="Name at that time; empty for a machine run.", max_length=150
                    ),
                ),
                (
                    "user_id",
                    models.CharField(blank=True, help_text="Key as text: it survives the account.", max_length=64),
                ),
                (
                    "old_values",
                    models.JSONField(blank=True, default=dict, encoder=django.core.serializers.json.DjangoJSONEncoder),
                ),
                (
                    "new_values",
                    models.JSONField(blank=True, default=dict, encoder=django.core.serializers.json.DjangoJSONEncoder),
                ),
                ("change_summary", models.TextField(blank=True)),
                ("ip_address", models.GenericIPAddressField(blank=True, null=True)),
                ("user_agent", models.TextField(blank=True)),
            ],
            options={
                "ordering": ["-created_at", "-id"],
                "indexes": [
                    models.Index(fields=["entity_type", "entity_id", "created_at"], name="audit_entity"),
                    models.Index(fields=["user_id", "created_at"], name="audit_user"),
                    models.Index(fields=["action", "created_at"], name="audit_action"),
                    models.Index(fields=["created_at", "id"], name="audit_time"),
                ],
            },
        ),
        migrations.CreateModel(
            name="ProcessingJob",
            fields=[
                ("id", models.UUIDField(default=catalog.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                ("job_type", models.CharField(help_text="Name of the stage.", max_length=64)),
                (
                    "entity_type",
                    models.CharField(help_text="Kind of what it works on: observation, night, field.", max_length=64),
                ),
                (
                    "entity_id",
                    models.CharField(help_text="Key of what it works on; a night has no UUID.", max_length=64),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("pending", "Pending"),
                            ("running", "Running"),
                            ("completed", "Completed"),
                            ("failed", "Failed"),
                            ("cancelled", "Cancelled"),
                        ],
                        default="pending",
                        max_length=16,
                    ),
                ),
                ("priority", models.SmallIntegerField(default=0, help_text="Higher goes first.")),
                ("workflow_id", models.CharField(blank=True, max_length=64)),
                ("task_id", models.CharField(blank=True, max_length=64)),
                ("retry_count", models.PositiveIntegerField(default=0)),
                ("max_retries", models.PositiveIntegerField(default=3)),
                ("scheduled_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("started_at", models.DateTimeField(blank=True, null=True)),
                ("completed_at", models.DateTimeField(blank=True, null=True)),
                (
                    "failure_code",
                    models.CharField(blank=True, choices=catalog.failures.failure_code_choices, max_length=40),
                ),
                ("error_message", models.TextField(blank=True)),
                (
                    "error_details",
                    models.JSONField(blank=True, default=dict, encoder=django.core.serializers.json.DjangoJSONEncoder),
                ),
                ("owner", models.CharField(blank=True, help_text="Process that holds it.", max_length=128)),
                (
                    "attempt",
                    models.PositiveIntegerField(default=0, help_text="Each claim counts one up; writes must match it."),
                ),
                ("heartbeat_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "ordering": ["-priority", "scheduled_at", "id"],
                "indexes": [
                    models.Index(
                        models.OrderBy(models.F("priority"), descending=True),
                        models.F("scheduled_at"),
                        models.F("id"),
                        condition=models.Q(("status", "pending")),
                        name="job_queue",
                    ),
                    models.Index(
                        condition=models.Q(("status", "running")), fields=["heartbeat_at"], name="job_beating"
                    ),
                    models.Index(fields=["status", "-created_at"], name="job_status"),
                    models.Index(fields=["entity_type", "entity_id"], name="job_entity"),
                    models.Index(
                        condition=models.Q(("workflow_id", ""), _negated=True),
                        fields=["workflow_id"],
                        name="job_workflow",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("status__in", ["pending", "running", "completed", "failed", "cancelled"])),
                        name="catalog_processingjob_status_known",
                        violation_error_message="status must be one of pending, running, completed, failed, cancelled.",
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
                        name="catalog_processingjob_status_reason",
                        violation_error_message="What failed needs a failure_code and an error_message.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("status", "completed"), _negated=True), ("failure_code", ""), _connector="OR"
                        ),
                        name="catalog_processingjob_status_clean",
                        violation_error_message="What completed carries no failure_code.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("retry_count__lte", models.F("max_retries"))),
                        name="catalog_processingjob_retries",
                        violation_error_message="retry_count must not exceed max_retries.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("status", "running"), _negated=True),
                            models.Q(models.Q(("owner", ""), _negated=True), ("heartbeat_at__isnull", False)),
                            _connector="OR",
                        ),
                        name="catalog_processingjob_running_is_held",
                        violation_error_message="A running job has an owner and a heartbeat.",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("status", "pending")),
                        fields=("job_type", "entity_type", "entity_id"),
                        name="catalog_processingjob_one_waiting",
                    ),
                ],
            },
        ),
    ]
