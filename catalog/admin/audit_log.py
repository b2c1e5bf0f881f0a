"""Who did what, in the admin: to be read, never to be changed."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.template.loader import render_to_string
from django.urls import URLPattern, path, reverse
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import RangeDateTimeFilter
from unfold.decorators import display

from catalog.admin.bases import ProductAdmin
from catalog.admin.columns import changes_of, entity_link_of, link, name_entities
from catalog.admin.filters import ExactTextFilter, IndexedValuesFilter
from catalog.chain.exporting import FORMATS, exported
from catalog.models import AuditLog, AuditSeal
from catalog.web.streamed import Streamed


@admin.register(AuditLog)
class AuditLogAdmin(ProductAdmin):
    list_display = ("created_at", "who", "what", "about", "change_summary", "ip_address")
    list_filter = (
        ("action", IndexedValuesFilter),
        ("entity_type", IndexedValuesFilter),
        ("user", ExactTextFilter),
        ("created_at", RangeDateTimeFilter),
    )
    search_fields = ("user", "entity_id__startswith", "change_summary", "reason")
    search_help_text = "Person, ID of what was changed, or words in the summary or the reason"
    ordering = ("-created_at", "-id")
    list_before_template = "admin/audit_export.html"
    readonly_fields = ("about", "before_and_after", "seal")
    fields = (
        "created_at", "user", "user_id", "action", "about", "change_summary", "reason", "before_and_after",
        "ip_address", "user_agent", "group", "id", "seal",
    )  # fmt: skip

    def get_urls(self) -> list[URLPattern]:
        own = [
            path(f"export.{kind}", self.admin_site.admin_view(self._export), {"kind": kind}, f"catalog_auditlog_{kind}")
            for kind in FORMATS
        ]
        return [*own, *super().get_urls()]

    def _export(self, request: HttpRequest, kind: str) -> HttpResponseBase:
        """Answer with all lines that the filters of the list leave, as a file."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        try:
            lines = super().get_changelist_instance(request).queryset
        except IncorrectLookupParameters:
            return HttpResponseRedirect(f"{reverse('admin:catalog_auditlog_changelist')}?e=1")
        headers = {"Content-Disposition": f'attachment; filename="audit-log.{kind}"', "Cache-Control": "no-store"}
        return Streamed(exported(lines, kind), content_type=FORMATS[kind], headers=headers)

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

    @display(description="seal")
    def seal(self, line: AuditLog) -> str | SafeString:
        """Show where in the chain a line is; a new one has no place for some seconds."""
        found = AuditSeal.objects.filter(pk=line.pk).first()
        return "not sealed yet" if found is None else link(found, f"position {found.position}, {found.hash}")

    @display(description="before and after")
    def before_and_after(self, line: AuditLog) -> SafeString:
        return render_to_string("admin/before_and_after.html", {"changes": changes_of(line)})
