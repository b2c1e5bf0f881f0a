"""What lets somebody in: links of invitations and forgotten passwords, and where people are logged in."""

from __future__ import annotations

from typing import Self

from django.conf import settings
from django.contrib.auth.models import Group
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models
from django.db.models import Q
from django.utils import timezone

from catalog import constraints
from catalog.models.records import Record, RecordQuerySet


class LinkKind(models.TextChoices):
    """What a link is for."""

    INVITATION = "invitation"
    PASSWORD_RESET = "password_reset", "password reset"


class AccountLinkQuerySet(RecordQuerySet):
    """Questions about links."""

    def open(self) -> Self:
        """Return those that may still be followed."""
        return self.filter(used_at__isnull=True, revoked_at__isnull=True, expires_at__gt=timezone.now())

    def due(self) -> Self:
        """Return those that are to be mailed now."""
        return self.filter(used_at__isnull=True, revoked_at__isnull=True, next_try_at__lte=timezone.now())


class AccountLink(Record):
    """A link that may be followed once; its secret is made of the row and the site's key, and kept nowhere."""

    kind = models.CharField(max_length=16, choices=LinkKind)
    email = models.EmailField(blank=True, help_text="Where it is sent.")
    asked_for = models.CharField(
        max_length=254, blank=True, help_text="Name or address that somebody typed, until a worker has looked for it."
    )
    role = models.ForeignKey(Group, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.CASCADE, related_name="account_links",
        help_text="Whose password it resets, or who has accepted the invitation.",
    )  # fmt: skip
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    asked_from = models.GenericIPAddressField(null=True, blank=True, help_text="Address that a reset was asked from.")
    serial = models.PositiveIntegerField(default=1, help_text="Goes up when it is made anew, which ends the earlier.")
    stamp = models.CharField(max_length=64, blank=True, help_text="Of the password that it resets: it ends with it.")
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    next_try_at = models.DateTimeField(null=True, blank=True, help_text="When it is mailed; empty: it is not.")
    tries = models.PositiveIntegerField(default=0)
    mailed_at = models.DateTimeField(null=True, blank=True)
    last_reason = models.TextField(blank=True, help_text="Why the mail server did not take it.")

    objects = AccountLinkQuerySet.as_manager()  # type: ignore[misc]

    class Meta:
        ordering = ["-id"]
        constraints = [
            constraints.one_of("kind", LinkKind),
            models.UniqueConstraint(
                fields=["email"],
                condition=Q(kind=LinkKind.INVITATION, used_at__isnull=True, revoked_at__isnull=True),
                name="catalog_accountlink_one_invitation",
            ),
        ]
        indexes = [
            models.Index(fields=["next_try_at"], name="link_due", condition=Q(next_try_at__isnull=False)),
            models.Index(fields=["created_at"], name="link_created"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.email}".strip()

    @property
    def state(self) -> str:
        """Say in one word whether it may be followed, and if not, why."""
        if self.used_at is not None:
            return "used"
        if self.revoked_at is not None:
            return "revoked"
        return "expired" if self.expires_at <= timezone.now() else "open"


class LoginSession(Record, AbstractBaseSession):
    """Where somebody is logged in; whoever else has a session, such as at the second step of a log-in, has no account.

    Told by `id`: the key is what the browser shows, and stays in here.
    """

    session_key = models.CharField(max_length=40, unique=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.CASCADE, related_name="sessions")
    ip_address = models.GenericIPAddressField(null=True, blank=True)
    user_agent = models.TextField(blank=True)
    seen_at = models.DateTimeField(default=timezone.now, help_text="Accurate to five minutes.")

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"session of {self.user}" if self.user_id else "session of nobody"
