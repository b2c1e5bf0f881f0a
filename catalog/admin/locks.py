"""Wrong passwords of the last minutes in the admin, and the locks that they led to; lift."""

from __future__ import annotations

from collections.abc import Iterable

from axes.models import AccessAttempt
from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.timesince import timeuntil
from unfold.decorators import display

from catalog.admin.bases import AuditedAdmin, ReadOnly
from catalog.admin.columns import EMPTY
from catalog.admin.filters import ExactTextFilter
from catalog.people import locks
from catalog.people.actors import actor_of
from catalog.roles import MAY_LIFT_LOCKS


@admin.register(AccessAttempt)
class LockAdmin(ReadOnly, AuditedAdmin):
    list_display = ("username", "ip_address", "failures_since_start", "shut", "left", "attempt_time", "user_agent")
    list_filter = (("username", ExactTextFilter), ("ip_address", ExactTextFilter))
    search_fields = ("username", "ip_address")
    search_help_text = "Name or address"
    ordering = ("-attempt_time", "-id")
    fields = readonly_fields = (
        "username", "ip_address", "failures_since_start", "shut", "left", "attempt_time", "user_agent", "path_info",
    )  # fmt: skip
    actions = ("lift",)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, object] | None = None) -> HttpResponse:
        return super().changelist_view(request, {"title": "Failed log-ins", **(extra_context or {})})

    def get_queryset(self, request: HttpRequest) -> QuerySet[AccessAttempt]:
        """Return what still counts; what was long ago the library clears away by and by."""
        return locks.counted().order_by(*self.get_ordering(request))

    def get_changelist_instance(self, request: HttpRequest) -> ChangeList:
        page = super().get_changelist_instance(request)
        _mark(page.result_list)
        return page

    @display(description="locked")
    def shut(self, attempt: AccessAttempt) -> str:
        if not hasattr(attempt, "locks"):
            _mark([attempt])
        return ", ".join(attempt.locks) or EMPTY

    @display(description="counts for")
    def left(self, attempt: AccessAttempt) -> str:
        return timeuntil(attempt.attempt_time + locks.lasts())

    def has_lift_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(MAY_LIFT_LOCKS)

    @admin.action(description="Lift the locks of name and address", permissions=["lift"])
    def lift(self, request: HttpRequest, queryset: QuerySet[AccessAttempt]) -> None:
        names = set(queryset.values_list("username", flat=True))
        for attempt in queryset:
            locks.lift(attempt, actor_of(request))
        messages.success(request, f"Unlocked: {', '.join(sorted(names))}.")


def _mark(attempts: Iterable[AccessAttempt]) -> None:
    """Give each row the locks that hold for its name and address."""
    rows = list(attempts)
    found = locks.locks_of({(row.username, row.ip_address) for row in rows})
    for row in rows:
        row.locks = found[row.username, row.ip_address]
