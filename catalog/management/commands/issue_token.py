"""Make a token for a program."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import TypedDict, Unpack

from django.core.management import BaseCommand, CommandError

from catalog.models import User
from catalog.people import audit
from catalog.people.scopes import SCOPES, open_to
from catalog.people.tokens import DAYS, RequestRefused, issue


class _Given(TypedDict):
    user: str
    scopes: list[str]
    days: int
    name: str


class Command(BaseCommand):
    """Prints one token and nothing else on standard output; it cannot be shown again."""

    help = "Create a token with which a program uses the REST interface in the name of an account, and print it once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("user", help="user name of the account")
        parser.add_argument(
            "--scopes", nargs="+", required=True, metavar="SCOPE", help=f"its scopes: {', '.join(SCOPES)}"
        )
        parser.add_argument("--days", type=int, default=DAYS, help=f"days until it expires (default {DAYS})")
        parser.add_argument("--name", default="command line", help="what it is for")

    def handle(self, *args: object, **options: Unpack[_Given]) -> None:
        user = User.objects.filter(username=options["user"]).first()
        if user is None:
            raise CommandError(f"There is no account {options['user']!r}.")
        try:
            text = issue(user, options["name"], options["scopes"], audit.MACHINE, days=options["days"])[1]
        except RequestRefused as refusal:
            raise CommandError(str(refusal)) from refusal
        useless = sorted(set(options["scopes"]) - open_to(user).keys())
        if useless:
            self.stderr.write(f"The role of {user} does not include: {', '.join(useless)}.")
        self.stdout.write(text)
