"""`manage.py renew_secrets`: what the database keeps encrypted is encrypted under the present SECRET_KEY."""

from __future__ import annotations

from django.core.management.base import BaseCommand, CommandError

from catalog.people.authenticators import renew_factors
from curation.push.signing import renew_secrets


class Command(BaseCommand):
    """Exit 0: SECRET_KEY_FALLBACKS is needed for none of them any more. 1: some cannot be read, and stay as is."""

    help = (
        "After SECRET_KEY was changed and the former one named in SECRET_KEY_FALLBACKS: encrypt secrets of webhooks "
        "and second factors under the new one, so that the former is needed no more."
    )

    def handle(self, *args: object, **options: object) -> None:
        webhooks, factors = renew_secrets(), renew_factors()
        self.stdout.write(
            f"Encrypted under the present key: {webhooks.count} secrets of webhooks, {factors.count} second factors."
        )
        if unreadable := (*webhooks.unreadable, *factors.unreadable):
            raise CommandError(
                "Not read, and left as they are: "
                + "; ".join(unreadable)
                + ". Name the key that they were kept under in "
                "SECRET_KEY_FALLBACKS, or replace them."
            )
