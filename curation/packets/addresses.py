"""Where the site is for others, as its administrator says; where nobody says it, nothing is guessed."""

from __future__ import annotations

from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.urls import reverse

from curation.packets.facts import LinkFacts

# RFC 2606: never anybody's. The keys in these names are unique without it.
_NO_AUTHORITY = "astrid.invalid"


def links_of(alert: UUID) -> LinkFacts | None:
    """Return where an alert is; None where the site's address is not configured."""
    address = settings.ASTRID_ADDRESS
    if not address:
        return None
    return LinkFacts(
        page=f"{address}{reverse('curation:alert', args=[alert])}",
        rest=f"{address}{reverse('api:alerts-detail', args=[alert])}",
        packet=f"{address}{reverse('api:alerts-packet', args=[alert])}",
    )


def ivorn_of(number: int) -> str:
    """Return the name of the VOEvent of an alert, by its number: the site's, and what it is there."""
    return f"ivo://{urlsplit(settings.ASTRID_ADDRESS).hostname or _NO_AUTHORITY}/astrid#{number}"
