"""Takes the second factor off an account whose owner has lost it, when no administrator can log in to do so."""

from __future__ import annotations

from django.core.management.base import BaseCommand, CommandError, CommandParser

from catalog.models import User
from catalog.people import audit, factors


class Command(BaseCommand):
    help = "Take the second factor off an account: its password alone logs in until another one is set up."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="user name")

    def handle(self, *args: object, **options: object) -> None:
        account = User.objects.filter(username=options["name"]).first()
        if account is None:
            raise CommandError(f"There is no account {options['name']!r}.")
        count = factors.remove_all(account, audit.MACHINE)
        done = "logs in without a second factor now." if count else "has none."
        self.stdout.write(f"{account.username} {done}")
