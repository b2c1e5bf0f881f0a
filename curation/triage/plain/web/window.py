"""Where the page without scripts is."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.http import HttpRequest
from django.urls import reverse

from curation.triage.filters import QueueFilter
from curation.triage.plain.forms import PlaceForm
from curation.triage.queue import Holder


@dataclass(frozen=True)
class Window:
    """A window of the page: the query that it is in, whose it is, and where it is."""

    request: HttpRequest
    narrowed: QueueFilter
    holder: Holder
    place: dict[str, UUID | None]

    def address(self, **place: object) -> str:
        """Return where the same window is at another place."""
        query = self.request.GET.copy()
        for name in PlaceForm.base_fields:
            query.pop(name, None)
        query["window"] = str(self.holder.window)
        for name, value in place.items():
            query[name] = str(value)
        return f"{reverse('curation:triage_plain')}?{query.urlencode()}"
