"""Labels, judgements and alerts, in the admin."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import AutocompleteSelectFilter, RangeDateTimeFilter
from unfold.decorators import display

from catalog.admin import (
    DropdownFilter,
    ExactTextFilter,
    ProductAdmin,
    RecordAdmin,
    YesNoFilter,
    list_link,
    number,
    related,
    related_links,
    state,
)
from curation.models import (
    Alert,
    AlertPacket,
    AlertPublication,
    Conflict,
    Contradiction,
    Deferral,
    Delivery,
    GoldAnswer,
    GoldItem,
    LabelDefinition,
    LabelExample,
    Lease,
    Mention,
    Note,
    Report,
    ReportAttempt,
    ReportRow,
    SavedFilter,
    Subscription,
    TriageSettings,
    ValidationEvent,
)
from curation.push.keeping import shown_address

_OF_SOURCE = "detection__source__id__exact"


@admin.register(LabelDefinition)
class LabelDefinitionAdmin(RecordAdmin):
    list_display = ("label", "title", "detection_type", "is_valid", "is_active", "position")
    list_filter = (("detection_type", DropdownFilter), ("is_valid", YesNoFilter), ("is_active", YesNoFilter))
    search_fields = ("label", "title", "description")
    ordering = ("position", "label")


@admin.register(ValidationEvent)
class ValidationEventAdmin(ProductAdmin):
    list_display = (
        "created_at", "validator", "kind", "is_valid", "label", "confidence_level", related("detection"),
        number("seconds_taken", 1, "seconds"),
    )  # fmt: skip
    list_select_related = ("validator", "detection")
    list_filter = (
        ("validator", AutocompleteSelectFilter),
        ("kind", DropdownFilter),
        ("is_valid", YesNoFilter),
        ("label", ExactTextFilter),
        ("confidence_level", DropdownFilter),
        ("created_at", RangeDateTimeFilter),
    )
    search_fields = ("validator__username", "label", "notes")
    search_help_text = "Person, label, ID, or words in the notes"
    # Their keys are made by browsers, in no order.
    ordering = ("-created_at", "-id")


@admin.register(Lease)
class LeaseAdmin(ProductAdmin):
    list_display = ("expires_at", "holder", related("detection"), "created_at")
    list_display_links = ("expires_at",)
    list_select_related = ("holder", "detection")
    list_filter = (("holder", AutocompleteSelectFilter), ("expires_at", RangeDateTimeFilter))
    search_fields = ("holder__username",)
    search_help_text = "Person or ID"
    ordering = ("expires_at", "id")


@admin.register(Deferral)
class DeferralAdmin(ProductAdmin):
    list_display = ("created_at", "person", "kind", related("detection"), "until", "ended_at")
    list_select_related = ("person", "detection")
    list_filter = (("person", AutocompleteSelectFilter), ("kind", DropdownFilter))
    search_fields = ("person__username", "note")
    ordering = ("-created_at", "-id")


@admin.register(Note)
class NoteAdmin(ProductAdmin):
    list_display = ("created_at", "author", related("detection"), "text", "withdrawn_at")
    list_select_related = ("author", "detection")
    list_filter = (("author", AutocompleteSelectFilter),)
    search_fields = ("author__username", "text")
    ordering = ("-created_at", "-id")


@admin.register(Contradiction)
class ContradictionAdmin(ProductAdmin):
    list_display = ("created_at", "person", related("event"), "told_at")
    list_select_related = ("person", "event")
    search_fields = ("person__username",)
    ordering = ("-created_at", "-id")


@admin.register(Mention)
class MentionAdmin(ProductAdmin):
    list_display = ("created_at", "person", related("note"), "seen_at")
    list_select_related = ("person", "note")
    search_fields = ("person__username",)
    ordering = ("-created_at", "-id")


@admin.register(SavedFilter)
class SavedFilterAdmin(ProductAdmin):
    list_display = ("name", "person", "query", "is_shared", "is_default")
    list_select_related = ("person",)
    search_fields = ("name", "person__username")
    ordering = ("name", "id")


@admin.register(TriageSettings)
class TriageSettingsAdmin(ProductAdmin):
    list_display = ("person", "keys", "asks_for_reason", "updated_at")
    list_select_related = ("person",)
    search_fields = ("person__username",)
    ordering = ("person",)


@admin.register(Conflict)
class ConflictAdmin(ProductAdmin):
    list_display = ("created_at", related("detection"))
    list_select_related = ("detection",)
    ordering = ("created_at", "id")


@admin.register(GoldItem)
class GoldItemAdmin(ProductAdmin):
    list_display = (
        "created_at", related("detection"), "is_valid", "label", "kind", "injected_snr", "marked_by", "is_active",
    )  # fmt: skip
    list_select_related = ("detection", "marked_by")
    list_filter = (
        ("is_valid", YesNoFilter), ("is_active", YesNoFilter), ("kind", DropdownFilter), ("label", ExactTextFilter),
    )  # fmt: skip
    search_fields = ("label",)
    ordering = ("-created_at", "-id")


@admin.register(GoldAnswer)
class GoldAnswerAdmin(ProductAdmin):
    list_display = ("created_at", "person", related("item"), "is_valid", "label", "confidence_level", "answered_at")
    list_select_related = ("item", "person")
    list_filter = (("person", AutocompleteSelectFilter), ("is_valid", YesNoFilter))
    search_fields = ("person__username", "label")
    ordering = ("-created_at", "-id")


@admin.register(LabelExample)
class LabelExampleAdmin(ProductAdmin):
    list_display = ("created_at", "label", related("detection"), "chosen_by")
    list_select_related = ("label", "detection", "chosen_by")
    search_fields = ("label__label",)
    ordering = ("-created_at", "-id")


@admin.register(Alert)
class AlertAdmin(ProductAdmin):
    list_display = (
        "created_at", "title", "alert_type", state("priority"), state(), "sent_at", "delivery_attempts",
        related("detection"),
    )  # fmt: skip
    list_display_links = ("created_at", "title")
    list_select_related = ("detection",)
    list_filter = (
        ("status", DropdownFilter),
        ("alert_type", DropdownFilter),
        ("priority", DropdownFilter),
        ("created_at", RangeDateTimeFilter),
    )
    search_fields = ("title", "message")
    search_help_text = "Words of the alert, or its key"
    readonly_fields = ("related",)
    fields = (
        "title", "related", ("alert_type", "priority", "status"), "message", "detection", "alert_metadata",
        ("sent_at", "delivery_attempts"), "error_message", ("created_at", "updated_at"), "id",
    )  # fmt: skip

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """A source's page links to its alerts."""
        return lookup == _OF_SOURCE or super().lookup_allowed(lookup, value, request)

    @display(description="related")
    def related(self, row: Alert) -> SafeString:
        links = [list_link("curation.alertpublication", "publication", alert__id__exact=row.pk)]
        if row.detection.source_id is not None:
            links.append(list_link("curation.alert", "all of this source", **{_OF_SOURCE: row.detection.source_id}))
        return related_links(links)


@admin.register(AlertPacket)
class AlertPacketAdmin(ProductAdmin):
    list_display = ("created_at", "night", related("publication"), "schema_version", "size_bytes", "ivorn")
    list_select_related = ("publication",)
    list_filter = (("schema_version", DropdownFilter), ("created_at", RangeDateTimeFilter))
    search_fields = ("ivorn", "sha256")
    search_help_text = "Its IVORN, its hash, or a key"
    ordering = ("-created_at", "-id")


@admin.register(AlertPublication)
class AlertPublicationAdmin(ProductAdmin):
    list_display = ("sequence", "kind", related("alert"), "version", "published_at")
    list_select_related = ("alert",)
    list_filter = (("kind", DropdownFilter), ("published_at", RangeDateTimeFilter))
    search_fields = ("alert__title",)
    search_help_text = "Words of the alert's title, or a key"
    ordering = ("-sequence",)


@admin.register(Subscription)
class SubscriptionAdmin(ProductAdmin):
    """Where alerts are sent; neither secrets nor addresses that are as good as one are shown."""

    list_display = (
        "name", "owner", "destination", "where", "is_active", "stopped_reason", "until", "ended_at", "failures",
    )  # fmt: skip
    list_select_related = ("owner",)
    list_filter = (
        ("owner", AutocompleteSelectFilter), ("destination", DropdownFilter), ("is_active", YesNoFilter),
    )  # fmt: skip
    search_fields = ("name", "owner__username")
    search_help_text = "Name, person, or ID"
    exclude = ("address",)
    readonly_fields = ("where",)

    @display(description="address")
    def where(self, row: Subscription) -> str:
        return shown_address(row)


@admin.register(Delivery)
class DeliveryAdmin(ProductAdmin):
    list_display = (
        "created_at", related("subscription"), related("publication"), state(), "attempts", "last_code", "last_reason",
        "next_try_at", "delivered_at",
    )  # fmt: skip
    list_select_related = ("subscription", "publication")
    list_filter = (("status", DropdownFilter), ("created_at", RangeDateTimeFilter))
    search_fields = ("subscription__name",)
    search_help_text = "Name of the subscription, or a key"


@admin.register(Report)
class ReportAdmin(ProductAdmin):
    list_display = (
        "created_at", "service", state(), "person", "reference", "sends", "last_code", "last_reason", "next_try_at",
    )  # fmt: skip
    list_select_related = ("person",)
    list_filter = (
        ("service", DropdownFilter), ("status", DropdownFilter), ("person", AutocompleteSelectFilter),
        ("created_at", RangeDateTimeFilter),
    )  # fmt: skip
    search_fields = ("reference", "person__username")
    search_help_text = "Number at the service, person, or ID"


@admin.register(ReportRow)
class ReportRowAdmin(ProductAdmin):
    list_display = ("internal_name", related("report"), state(), "name", "reason", related("source"))
    list_select_related = ("report", "source")
    list_filter = (("status", DropdownFilter), ("created_at", RangeDateTimeFilter))
    search_fields = ("internal_name", "name")
    search_help_text = "Our name, theirs, or ID"
    ordering = ("-id",)


@admin.register(ReportAttempt)
class ReportAttemptAdmin(ProductAdmin):
    list_display = ("created_at", related("report"), "kind", "host", "code", "outcome", "ended_at")
    list_select_related = ("report",)
    list_filter = (("kind", DropdownFilter), ("created_at", RangeDateTimeFilter))
    search_fields = ("host",)
    search_help_text = "Host, or ID"
