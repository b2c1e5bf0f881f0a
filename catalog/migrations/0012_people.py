"""Links of invitations and forgotten passwords; sessions that tell whose they are, and those that are open stay."""

import datetime as dt
from uuid import UUID

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.contrib.sessions.backends.db import SessionStore
from django.db import migrations, models
from django.utils import timezone

import catalog.ids
from catalog.roles import grant


def give_new_permissions(apps, schema_editor):
    grant(apps)


def keep_open_sessions(apps, schema_editor):
    """Take over where people are logged in; from where that is, is noted when they come again."""
    kept, now, store = apps.get_model("catalog", "LoginSession").objects, timezone.now(), SessionStore()
    accounts = set(map(str, apps.get_model("catalog", "User").objects.values_list("pk", flat=True)))
    for old in apps.get_model("sessions", "Session").objects.filter(expire_date__gt=now).iterator():
        account = store.decode(old.session_data).get("_auth_user_id")
        if account in accounts:
            kept.create(
                session_key=old.session_key, session_data=old.session_data, expire_date=old.expire_date,
                user_id=UUID(account), seen_at=now - dt.timedelta(days=1),
            )  # fmt: skip


class Migration(migrations.Migration):
    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("sessions", "0001_initial"),
        ("catalog", "0011_audit_seals"),
    ]

    operations = [
        migrations.CreateModel(
            name="LoginSession",
            fields=[
                ("session_data", models.TextField(verbose_name="session data")),
                ("expire_date", models.DateTimeField(db_index=True, verbose_name="expire date")),
                ("id", models.UUIDField(default=catalog.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                ("session_key", models.CharField(max_length=40, unique=True)),
                ("ip_address", models.GenericIPAddressField(blank=True, null=True)),
                ("user_agent", models.TextField(blank=True)),
                (
                    "seen_at",
                    models.DateTimeField(default=django.utils.timezone.now, help_text="Accurate to five minutes."),
                ),
                (
                    "user",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="sessions",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="AccountLink",
            fields=[
                ("id", models.UUIDField(default=catalog.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "kind",
                    models.CharField(
                        choices=[("invitation", "Invitation"), ("password_reset", "password reset")], max_length=16
                    ),
                ),
                ("email", models.EmailField(blank=True, help_text="Where it is sent.", max_length=254)),
                (
                    "asked_for",
                    models.CharField(
                        blank=True,
                        help_text="Name or address that somebody typed, until a worker has looked for it.",
                        max_length=254,
                    ),
                ),
                (
                    "asked_from",
                    models.GenericIPAddressField(
                        blank=True, help_text="Address that a reset was asked from.", null=True
                    ),
                ),
                (
                    "serial",
                    models.PositiveIntegerField(
                        default=1, help_text="Goes up when it is made anew, which ends the earlier."
                    ),
                ),
                (
                    "stamp",
                    models.CharField(
                        blank=True, help_text="Of the password that it resets: it ends with it.", max_length=64
                    ),
                ),
                ("expires_at", models.DateTimeField()),
                ("used_at", models.DateTimeField(blank=True, null=True)),
                ("revoked_at", models.DateTimeField(blank=True, null=True)),
                (
                    "next_try_at",
                    models.DateTimeField(blank=True, help_text="When it is mailed; empty: it is not.", null=True),
                ),
                ("tries", models.PositiveIntegerField(default=0)),
                ("mailed_at", models.DateTimeField(blank=True, null=True)),
                ("last_reason", models.TextField(blank=True, help_text="Why the mail server did not take it.")),
                (
                    "made_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "role",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="auth.group",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        blank=True,
                        help_text="Whose password it resets, or who has accepted the invitation.",
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="account_links",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("next_try_at__isnull", False)), fields=["next_try_at"], name="link_due"
                    ),
                    models.Index(fields=["created_at"], name="link_created"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ["invitation", "password_reset"])),
                        name="catalog_accountlink_kind_known",
                        violation_error_message="kind must be one of invitation, password_reset.",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(
                            ("kind", "invitation"), ("revoked_at__isnull", True), ("used_at__isnull", True)
                        ),
                        fields=("email",),
                        name="catalog_accountlink_one_invitation",
                    ),
                ],
            },
        ),
        migrations.RunPython(keep_open_sessions, migrations.RunPython.noop, elidable=True),
        migrations.RunPython(give_new_permissions, migrations.RunPython.noop),
    ]
