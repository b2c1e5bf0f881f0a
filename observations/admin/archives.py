"""Archives that surveys are read from, in the admin."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import RangeDateTimeFilter
from unfold.decorators import display

from catalog import roles
from catalog.admin import (
    DropdownFilter,
    ExactTextFilter,
    ProductAdmin,
    ShownRowsFilter,
    YesNoFilter,
    list_link,
    reason,
    state,
)
from catalog.failures import NotPossible
from catalog.people.actors import Actor
from observations.archives import keeping
from observations.archives.products import fetch_again
from observations.models import Archive, ArchiveHost, ArchiveProduct, ArchiveRun, RunPurpose


@admin.register(Archive)
class ArchiveAdmin(ProductAdmin):
    """Archives are made and changed on their own page, which says what is wrong with them."""

    list_display = ("survey", "kind", "is_on", "next_at", "failures", "runs", "products", "page")
    list_select_related = ("survey",)
    list_filter = (("kind", DropdownFilter), ("is_on", YesNoFilter))
    search_fields = ("survey__name",)
    ordering = ("survey__name",)
    actions = ("run_now", "switch_on", "switch_off")
    readonly_fields = ("page", "runs", "products")
    fields = (
        "survey", "page", ("kind", "folder"), "question", ("is_on", "next_at", "failures"),
        ("every_minutes", "nightly_at"), ("begins_at", "overlap_hours", "seen_until", "goes_on_at"),
        ("most_per_night", "credential"), ("runs", "products"), ("created_at", "updated_at"), "id",
    )  # fmt: skip

    def has_order_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return request.user.has_perm(roles.MAY_ORDER_ARCHIVES)

    @display(description="page")
    def page(self, row: Archive) -> SafeString:
        return format_html('<a href="{}">Try, change, switch</a>', reverse("observations:one_archive", args=[row.pk]))

    @display(description="runs")
    def runs(self, row: Archive) -> SafeString:
        return list_link("observations.archiverun", "runs", archive__id__exact=row.pk)

    @display(description="files")
    def products(self, row: Archive) -> SafeString:
        return list_link("observations.archiveproduct", "files", archive__id__exact=row.pk)

    @admin.action(description="Ask now", permissions=["order"])
    def run_now(self, request: HttpRequest, queryset: QuerySet[Archive]) -> None:
        self.do_each(request, queryset, _run, "Archives that are asked", NotPossible)

    @admin.action(description="Switch on", permissions=["order"])
    def switch_on(self, request: HttpRequest, queryset: QuerySet[Archive]) -> None:
        self.do_each(request, queryset, _on, "Archives switched on", keeping.Refused)

    @admin.action(description="Switch off", permissions=["order"])
    def switch_off(self, request: HttpRequest, queryset: QuerySet[Archive]) -> None:
        self.do_each(request, queryset, _off, "Archives switched off", keeping.Refused)


def _run(row: Archive, actor: Actor) -> ArchiveRun:
    return keeping.order(row, RunPurpose.FETCH, actor)


def _on(row: Archive, actor: Actor) -> None:
    keeping.switch(row, is_on=True, actor=actor)


def _off(row: Archive, actor: Actor) -> None:
    keeping.switch(row, is_on=False, actor=actor)


@admin.register(ArchiveRun)
class ArchiveRunAdmin(ProductAdmin):
    list_display = (
        "archive", "purpose", state(), "found_count", "known_count", "refused_count", "created_at", reason,
    )  # fmt: skip
    list_select_related = ("archive__survey",)
    list_filter = (
        ("archive", ShownRowsFilter), ("purpose", DropdownFilter), ("status", DropdownFilter),
        ("created_at", RangeDateTimeFilter),
    )  # fmt: skip


@admin.register(ArchiveProduct)
class ArchiveProductAdmin(ProductAdmin):
    list_display = ("title", "archive", state("state"), "observation_time", "tries", "reason", "created_at")
    list_select_related = ("archive__survey",)
    list_filter = (
        ("archive", ShownRowsFilter), ("state", DropdownFilter), ("host", ExactTextFilter),
        ("observation_time", RangeDateTimeFilter),
    )  # fmt: skip
    search_fields = ("title",)
    search_help_text = "Title or ID"
    actions = ("try_again",)

    def has_order_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return request.user.has_perm(roles.MAY_ORDER_ARCHIVES)

    @admin.action(description="Fetch again", permissions=["order"])
    def try_again(self, request: HttpRequest, queryset: QuerySet[ArchiveProduct]) -> None:
        self.do_each(request, queryset, fetch_again, "Files that wait to be fetched again", NotPossible)


@admin.register(ArchiveHost)
class ArchiveHostAdmin(ProductAdmin):
    list_display = ("name", "failures", "resting_until", "free_at", "reason")
    search_fields = ("name",)
    ordering = ("name",)
