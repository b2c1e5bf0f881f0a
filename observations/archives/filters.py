"""What narrows archives, their runs and products, on pages and for clients."""

from __future__ import annotations

from typing import ClassVar

import django_filters

from catalog.web.filters import AT, FROM_TO, ONE_OF, ListFilter
from observations.models import Archive, ArchiveHost, ArchiveProduct, ArchiveRun, ProductState


class ProductFilter(ListFilter):
    """Which products of one archive to show."""

    controls: ClassVar[tuple[str, ...]] = ("state",)

    state = django_filters.ChoiceFilter(choices=ProductState, label="State", empty_label="Any")

    class Meta:
        model = ArchiveProduct
        fields: ClassVar[dict[str, list[str]]] = {}


class ArchiveListFilter(ListFilter):
    class Meta:
        model = Archive
        fields = {"survey": AT, "kind": ONE_OF, "is_on": AT}


class ArchiveRunListFilter(ListFilter):
    class Meta:
        model = ArchiveRun
        fields = {"archive": AT, "purpose": ONE_OF, "status": ONE_OF, "created_at": FROM_TO}


class ArchiveProductListFilter(ListFilter):
    class Meta:
        model = ArchiveProduct
        fields = {
            "archive": AT, "run": AT, "state": ONE_OF, "name": AT, "incoming": AT, "observation_time": FROM_TO,
            "created_at": FROM_TO,
        }  # fmt: skip


class ArchiveHostListFilter(ListFilter):
    class Meta:
        model = ArchiveHost
        fields = {"name": AT}
