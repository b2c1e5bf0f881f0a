"""Retention in the admin: what each rule would remove now, how far it has come, and which files are gone."""

from __future__ import annotations

import datetime as dt

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import RangeDateTimeFilter
from unfold.decorators import display

from catalog.admin.bases import ProductAdmin
from catalog.admin.columns import entity_link
from catalog.admin.filters import IndexedValuesFilter
from catalog.configuration.values import acceptable
from catalog.models import RemovedFile, RetentionPass
from catalog.retention.foreseeing import foresee
from catalog.writing import size

# A page does not count for longer than this, rule by rule.
_COUNTING_SECONDS = 2.0


@admin.register(RetentionPass)
class RetentionPassAdmin(ProductAdmin):
    list_display = ("rule", "state", "begun_at", "ended_at", "up_to", "removed_count", "size")
    ordering = ("rule",)
    list_before_template = "admin/retention.html"
    fields = readonly_fields = (
        "rule", "state", "begun_at", "ended_at", "up_to", "removed_count", "size", "updated_at", "id",
    )  # fmt: skip

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, object] | None = None) -> HttpResponse:
        own = {"foreseen": foresee(_COUNTING_SECONDS), "is_paused": acceptable()["retention.paused"]}
        return super().changelist_view(request, {**own, **(extra_context or {})})

    @display(description="state")
    def state(self, row: RetentionPass) -> str:
        return "at work" if row.ended_at is None else "ended"

    @display(description="looked at, up to rows of")
    def up_to(self, row: RetentionPass) -> object:
        """Tell how far a pass has come: keys begin with the time at which they were given, in milliseconds."""
        if row.reached is None:
            return None
        return dt.datetime.fromtimestamp((row.reached.int >> 80) / 1000, dt.UTC)

    @display(description="their size")
    def size(self, row: RetentionPass) -> str:
        return size(row.removed_bytes)


@admin.register(RemovedFile)
class RemovedFileAdmin(ProductAdmin):
    list_display = ("removed_at", "about", "kept_days", "size_bytes")
    list_filter = (("entity_type", IndexedValuesFilter), ("removed_at", RangeDateTimeFilter))
    search_fields = ("entity_id",)
    search_help_text = "ID of the row whose files they were"
    readonly_fields = ("about",)
    fields = ("about", "entity_type", "entity_id", "kept_days", "size_bytes", "removed_at", "created_at", "id")

    @display(description="about")
    def about(self, row: RemovedFile) -> str | SafeString:
        return entity_link(row.entity_type, str(row.entity_id))
