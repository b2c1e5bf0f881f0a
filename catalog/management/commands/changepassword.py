"""Django's command, with its line in the AuditLog."""

from __future__ import annotations

from django.contrib.auth.management.commands import changepassword
from django.db import transaction

from catalog.models import User
from catalog.people import audit


class Command(changepassword.Command):
    """The line says whose password was changed this way; never the password."""

    @transaction.atomic
    def handle(self, *args: object, **options: object) -> str | None:
        before = dict(User.objects.values_list("pk", "password"))
        said = super().handle(*args, **options)
        for account in User.objects.all():
            if account.password != before.get(account.pk):
                audit.record(account, "change_password", summary="by changepassword")
        return said
