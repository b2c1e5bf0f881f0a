"""The configuration in the admin: every declared key, a form that knows its type, and who changed it from what."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from itertools import groupby
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import quote, unquote
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.decorators import action, display

from catalog.admin.bases import RecordAdmin, history_of
from catalog.admin.columns import EMPTY, as_key, list_link
from catalog.admin.configuration_changes import ConfigPages, prefilled
from catalog.admin.configuration_fields import field_of, in_use, reason_field
from catalog.configuration import values
from catalog.configuration.changes import ChangeRefused, Plan, plan
from catalog.configuration.changes import change as change_together
from catalog.configuration.groups import group_of
from catalog.configuration.keys import DECLARED, ConfigKey, ConfigRefused
from catalog.configuration.preview import Preview, preview
from catalog.configuration.words import bounds, shown, shown_of
from catalog.models import AuditLog, SystemConfig
from catalog.people.actors import actor_of

_BACK = "back_to_default"
# What the theme calls the button of that action in the form.
BACK_BUTTON = f"catalog_systemconfig_{_BACK}"
PREVIEW_BUTTON = "catalog_systemconfig_foresee"
_MOST_REPEATED = 300
WHEN = "Work that has already started keeps its values."


class ConfigForm(forms.ModelForm):
    """Asks for one key's value and the reason; what is stored changes only through the configuration's own service."""

    new_value = forms.Field(label="value", required=False)
    reason = reason_field()
    seen = forms.CharField(required=False, widget=forms.HiddenInput)
    preview: Preview | None = None

    class Meta:
        model = SystemConfig
        fields = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.key = DECLARED.get(self.instance.key)
        self.fields["seen"].initial = self._version()
        if self.key is None:
            return
        field = field_of(self.key)
        field.label = "Value"
        field.initial = None if self.key.is_secret else in_use(self.key, self.instance)
        self.fields["new_value"] = field
        if self.key.is_science:
            self.fields["reason"].help_text = "Required: this changes what becomes science."

    def _version(self) -> str:
        return "" if self.instance._state.adding else self.instance.updated_at.isoformat()

    def is_valid(self) -> bool:
        """A preview is shown on the page, and stores nothing."""
        return super().is_valid() and PREVIEW_BUTTON not in self.data

    def clean(self) -> dict[str, object]:
        cleaned = super().clean() or {}
        if cleaned.get("seen", "") != self._version():
            raise forms.ValidationError(
                "Somebody else has changed this key in the meantime: look at its history, then save again."
            )
        if self.key is not None and "new_value" in cleaned:
            try:
                if BACK_BUTTON not in self.data:
                    # An empty field asks for nothing, and not for the default.
                    self.key.checked(cleaned["new_value"])
                self._weigh(plan(self.asked(cleaned)), str(cleaned.get("reason", "")))
            except ConfigRefused as refusal:
                self.add_error("new_value", str(refusal))
            except ChangeRefused as refusal:
                # What two keys must be together is said of whichever of them is changed.
                for sentence in refusal.reasons.values():
                    self.add_error("new_value", sentence)
        return cleaned

    def asked(self, cleaned: Mapping[str, object]) -> dict[str, object]:
        """Return what is asked for of the key, None for its default; nothing where a secret is to stay."""
        if BACK_BUTTON in self.data:
            return {self.instance.key: None}
        if self.key is not None and self.key.is_secret and not cleaned["new_value"]:
            return {}
        return {self.instance.key: cleaned["new_value"]}

    def _weigh(self, planned: Plan, reason: str) -> None:
        if PREVIEW_BUTTON in self.data:
            self.preview = preview(planned)
        elif planned.asks_for_reason and not reason.strip():
            self.add_error("reason", "Give a reason: this changes what becomes science.")

    def _post_clean(self) -> None:
        """Do not check the stored value: it may be the one that is to be put right."""


@admin.register(SystemConfig)
class SystemConfigAdmin(ConfigPages, RecordAdmin):
    form = ConfigForm
    readonly_fields = ("key", "meaning", "default", "takes", "when")
    fieldsets = ((None, {"fields": ("key", "meaning", "new_value", "reason", "seen", "default", "takes", "when")}),)
    actions_submit_line = (_BACK, "foresee")
    change_form_outer_before_template = "admin/configuration_foreseen.html"
    change_form_outer_after_template = "admin/history_lines.html"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> SystemConfig | None:
        """Return the row of a key, one that is not stored where the default is in use."""
        rows: QuerySet[SystemConfig] = self.get_queryset(request)
        key = as_key(object_id)
        row = rows.filter(key=object_id).first() if key is None else rows.filter(pk=key).first()
        if row is None and object_id in DECLARED:
            return SystemConfig(key=object_id, value=DECLARED[object_id].default, is_active=False)
        return row

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, object] | None = None) -> HttpResponse:
        """Show every declared key, whether or not it was ever changed."""
        if not self.has_view_or_change_permission(request):
            raise PermissionDenied
        words = request.GET.get("q", "").strip().lower()
        context = {
            **self.admin_site.each_context(request),
            "title": "Configuration",
            "opts": self.opts,
            "groups": _groups(words),
            "unknown": SystemConfig.objects.filter(is_active=True).exclude(key__in=DECLARED),
            "words": words,
            "when": WHEN,
            "may_change": self.has_change_permission(request),
            **(extra_context or {}),
        }
        return TemplateResponse(request, "admin/configuration.html", context)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, object] | None = None
    ) -> HttpResponse:
        row = self.get_object(request, unquote(object_id))
        context = {
            "lines": [] if row is None else _with_ways_back(row, history_of(row)),
            "shows_origin": request.user.has_perm("catalog.view_auditlog"),
            # It stands on the page already.
            "show_history": False,
        }
        return super().change_view(request, object_id, form_url, {**context, **(extra_context or {})})

    def save_model(self, request: HttpRequest, obj: SystemConfig, form: ConfigForm, change: bool) -> None:
        """Store through the service, which writes the AuditLog; what changes nothing is not stored."""
        actor = actor_of(request)
        if obj.key not in DECLARED:
            values.clear_value(obj.key, replace(actor, reason=form.cleaned_data["reason"]))
            return
        try:
            change_together(form.asked(form.cleaned_data), form.cleaned_data["reason"], actor)
        except ChangeRefused as refusal:
            messages.error(request, str(refusal))

    def save_related(self, request: HttpRequest, form: object, formsets: object, change: bool) -> None:
        """Leave all to the service."""

    @action(description="Reset to default", permissions=["change"])
    def back_to_default(self, request: HttpRequest, obj: SystemConfig) -> None:
        """A button of the form, which the form itself looks for."""

    @action(description="Preview", permissions=["change"])
    def foresee(self, request: HttpRequest, obj: SystemConfig) -> None:
        """A button of the form, which the form itself looks for."""

    def response_change(self, request: HttpRequest, obj: SystemConfig) -> HttpResponse:
        declared = DECLARED.get(obj.key)
        row = SystemConfig.objects.filter(key=obj.key).first()
        value = "no longer used" if declared is None else f"{shown_of(declared, in_use(declared, row))} now"
        concerns = "" if declared is None else f" {group_of(obj.key).concerns}"
        messages.success(request, f"{obj.key} is {value}.{concerns}")
        if "_continue" in request.POST and declared is not None:
            return HttpResponseRedirect(page_of(obj.key))
        return HttpResponseRedirect(f"{reverse('admin:catalog_systemconfig_changelist')}#{obj.key}")

    @display(description="what it does")
    def meaning(self, row: SystemConfig) -> str:
        declared = DECLARED.get(row.key)
        return (
            declared.explanation if declared else ("Nothing reads this key any more: reset it to default to retire it.")
        )

    @display(description="value")
    def new_value(self, row: SystemConfig) -> str:
        """Stand in for the form's field where somebody may look but not change."""
        declared = DECLARED.get(row.key)
        return shown_of(declared, in_use(declared, row)) if declared else EMPTY

    @display(description="default")
    def default(self, row: SystemConfig) -> str:
        return shown_of(DECLARED[row.key], DECLARED[row.key].default) if row.key in DECLARED else EMPTY

    @display(description="allowed")
    def takes(self, row: SystemConfig) -> str:
        return bounds(DECLARED[row.key]) if row.key in DECLARED else EMPTY

    @display(description="takes effect")
    def when(self, row: SystemConfig) -> str:
        return f"{group_of(row.key).concerns} {WHEN}"


def page_of(key: str) -> str:
    """Return the address of a key's page."""
    return reverse("admin:catalog_systemconfig_change", args=[quote(key)])


def _with_ways_back(row: SystemConfig, lines: list[dict[str, object]]) -> list[dict[str, object]]:
    """Add to each line of a key's history the way back to its value, and the way to the rest of the same change."""
    key = DECLARED.get(row.key)
    for entry in lines:
        line = entry["line"]
        if not isinstance(line, AuditLog):
            continue
        if line.group is not None:
            entry["rest"] = list_link(
                "catalog.auditlog", "with other keys", entity_type=line.entity_type, group=line.group
            )
        value = line.new_values.get("value")
        if key is None or key.is_secret or "value" not in line.new_values or value == in_use(key, row):
            continue
        with suppress(ConfigRefused):
            back = f"Back to {shown(key.checked(value))} of {line.created_at:%Y-%m-%d %H:%M}"
            # An address has no room for more.
            why = f": {line.reason}"[:_MOST_REPEATED] if line.reason else "."
            entry["back"] = prefilled(key, value, f"{back}{why}")
    return lines


def _groups(words: str) -> list[dict[str, object]]:
    """Return the declared keys by group, with their values and who changed them last."""
    rows = {row.key: row for row in SystemConfig.objects.all()}
    last = _last_changes(rows.values())
    found = [key for key in DECLARED.values() if words in f"{key.name} {key.explanation}".lower()]
    return [
        {
            "title": group_of(prefix).title,
            "prefix": prefix,
            "entries": [_entry(key, rows.get(key.name), last.get(key.name)) for key in keys],
        }
        for prefix, keys in groupby(found, key=lambda key: key.name.split(".")[0])
    ]


def _entry(key: ConfigKey, row: SystemConfig | None, last: AuditLog | None) -> dict[str, object]:
    value = in_use(key, row)
    try:
        key.checked(value)
        refusal = ""
    except ConfigRefused as reason:
        refusal = str(reason)
    return {
        "key": key.name,
        "name": key.name.split(".", 1)[1],
        "url": page_of(key.name),
        "value": shown_of(key, value),
        "is_changed": row is not None and row.is_active,
        "default": shown_of(key, key.default),
        "bounds": bounds(key),
        "explanation": key.explanation,
        "refusal": refusal,
        "last": last,
    }


def _last_changes(rows: Iterable[SystemConfig]) -> dict[str, AuditLog]:
    """Return the newest line of the AuditLog on each row, by key."""
    keys = {str(row.pk): row.key for row in rows}
    lines = AuditLog.objects.filter(entity_type=SystemConfig._meta.model_name, entity_id__in=keys)
    newest = lines.order_by("entity_id", "-created_at", "-id").distinct("entity_id")
    return {keys[line.entity_id]: line for line in newest}
