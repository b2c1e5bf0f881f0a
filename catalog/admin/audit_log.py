"""Who did what, in the admin: to be read, never to be changed."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import RangeDateTimeFilter
from unfold.decorators import display

from catalog.admin.bases import ProductAdmin
from catalog.admin.columns import changes_of, entity_link_of, name_entities
from catalog.admin.filters import ExactTextFilter, IndexedValuesFilter
from catalog.models import AuditLog


@admin.register(AuditLog)
class AuditLogAdmin(ProductAdmin):
    list_display = ("created_at", "who", "what", "about", "change_summary", "ip_address")
    list_filter = (
        ("action", IndexedValuesFilter),
        ("entity_type", IndexedValuesFilter),
        ("user", ExactTextFilter),
        ("created_at", RangeDateTimeFilter),
    )
    search_fields = ("user", "entity_id__startswith", "change_summary")
    search_help_text = "Person, ID of what was changed, or words in the summary"
    ordering = ("-created_at", "-id")
    readonly_fields = ("about", "before_and_after")
    fields = (
        "created_at", "user", "user_id", "action", "about", "change_summary", "before_and_after", "ip_address",
        "user_agent", "id",
    )  # fmt: skip

    def get_changelist_instance(self, request: HttpRequest) -> ChangeList:
        page = super().get_changelist_instance(request)
        name_entities(page.result_list)
        return page

    @display(description="who", ordering="user")
    def who(self, line: AuditLog) -> str:
        return line.user or "machine"

    @display(description="what", ordering="action")
    def what(self, line: AuditLog) -> str:
        return line.action.replace("_", " ")

    @display(description="about")
    def about(self, line: AuditLog) -> str | SafeString:
        return entity_link_of(line)

    @display(description="before and after")
    def before_and_after(self, line: AuditLog) -> SafeString:
        return render_to_string("admin/before_and_after.html", {"changes": changes_of(line)})
