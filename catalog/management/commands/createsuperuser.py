"""Django's command, with its line in the AuditLog."""

from __future__ import annotations

from django.contrib.auth.management.commands import createsuperuser
from django.db import transaction

from catalog.models import User
from catalog.people import audit


class Command(createsuperuser.Command):
    """Whoever may run this on the machine may do all; the line says that an account was made this way."""

    @transaction.atomic
    def handle(self, *args: object, **options: object) -> None:
        known = set(User.objects.values_list("pk", flat=True))
        super().handle(*args, **options)
        for account in User.objects.exclude(pk__in=known):
            new = {"username": account.username, "is_superuser": account.is_superuser}
            audit.record(account, "create_account", new=new, summary="by createsuperuser")
