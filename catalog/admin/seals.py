"""The chain over the audit log in the admin: which line each seal covers, and the hash to be noted elsewhere."""

from __future__ import annotations

from django.contrib import admin
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import RangeDateTimeFilter
from unfold.decorators import display

from catalog.admin.bases import ProductAdmin
from catalog.models import AuditSeal


@admin.register(AuditSeal)
class AuditSealAdmin(ProductAdmin):
    list_display = ("position", "sealed_at", "line", "hash")
    list_filter = (("created_at", RangeDateTimeFilter),)
    search_fields = ("hash__startswith",)
    search_help_text = "ID of the line, or start of the hash"
    ordering = ("-position",)
    fields = readonly_fields = ("position", "sealed_at", "line", "digest", "hash")

    @display(description="sealed", ordering="position")
    def sealed_at(self, seal: AuditSeal) -> object:
        return seal.created_at

    @display(description="line")
    def line(self, seal: AuditSeal) -> SafeString:
        url = reverse("admin:catalog_auditlog_change", args=[seal.pk])
        return format_html('<a class="text-link" href="{}">{}</a>', url, seal.pk)
