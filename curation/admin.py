"""Labels, judgements and alerts, in the admin."""

from __future__ import annotations

from django.contrib import admin

from catalog.admin import ProductAdmin, RecordAdmin
from curation.models import Alert, AlertPublication, LabelDefinition, ValidationEvent


@admin.register(LabelDefinition)
class LabelDefinitionAdmin(RecordAdmin):
    list_display = ("label", "title", "detection_type", "is_valid", "is_active", "position")
    list_filter = ("detection_type", "is_valid", "is_active")
    search_fields = ("label", "title", "description")


@admin.register(ValidationEvent)
class ValidationEventAdmin(ProductAdmin):
    list_display = ("created_at", "validator", "detection", "kind", "is_valid", "label", "confidence_level")
    list_select_related = ("validator", "detection")
    list_filter = ("kind", "is_valid", "confidence_level", "label")
    search_fields = ("validator__username", "label", "notes")


@admin.register(Alert)
class AlertAdmin(ProductAdmin):
    list_display = ("title", "alert_type", "priority", "status", "sent_at", "delivery_attempts")
    list_filter = ("status", "alert_type", "priority")
    search_fields = ("title", "message")


@admin.register(AlertPublication)
class AlertPublicationAdmin(ProductAdmin):
    list_display = ("sequence", "kind", "alert", "version", "published_at")
    list_select_related = ("alert",)
    list_filter = ("kind",)
