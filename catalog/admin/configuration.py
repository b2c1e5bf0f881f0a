"""The configuration in the admin: every declared key, a form that knows its type, and who changed it from what."""

from __future__ import annotations

from collections.abc import Iterable
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
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldBooleanSwitchWidget,
)

from catalog.admin.bases import RecordAdmin, history_of
from catalog.admin.columns import EMPTY, as_key
from catalog.configuration import values
from catalog.configuration.keys import DECLARED, ConfigKey, ConfigRefused, ConfigValue
from catalog.models import AuditLog, SystemConfig
from catalog.people.actors import actor_of

_BACK = "back_to_default"
# What the theme calls the button of that action in the form.
BACK_BUTTON = f"catalog_systemconfig_{_BACK}"
WHEN = "It takes effect from the next frame on; work that has already started keeps its values."
_GROUPS = {
    "ingest": "Ingest",
    "preprocessing": "Calibration and measurement",
    "differencing": "References and subtraction",
    "detection": "Scores, detections and sources",
    "alerts": "Alerts",
}


def shown(value: object) -> str:
    """Return a value as people write it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.10g}" if isinstance(value, float) else str(value)


def bounds(key: ConfigKey) -> str:
    """Return in words what values a key takes."""
    if key.choices:
        return ", ".join(key.choices)
    if isinstance(key.default, bool):
        return "yes or no"
    kind = "whole number" if isinstance(key.default, int) else "number"
    low, high = (None if bound is None else shown(float(bound)) for bound in (key.minimum, key.maximum))
    if low is not None and high is not None:
        return f"{kind}, {low} to {high}"
    return kind if low is high is None else f"{kind}, {f'at least {low}' if low is not None else f'at most {high}'}"


def in_use(key: ConfigKey, row: SystemConfig | None) -> ConfigValue:
    """Return the value that the next run reads."""
    return row.value if row is not None and row.is_active else key.default


def _field_of(key: ConfigKey) -> forms.Field:
    """Return the field and control that fit the declared type; bounds are checked in the words of the declaration."""
    wrong = {"invalid": f"{key.name} takes a {bounds(key)}."}
    if isinstance(key.default, bool):
        return forms.BooleanField(required=False, widget=UnfoldBooleanSwitchWidget())
    if key.choices:
        named = [(choice, choice) for choice in key.choices]
        return forms.ChoiceField(required=False, choices=named, widget=UnfoldAdminSelectWidget())
    whole = isinstance(key.default, int)
    limits = {"min": key.minimum, "max": key.maximum, "step": 1 if whole else "any"}
    widget = UnfoldAdminIntegerFieldWidget(attrs={name: value for name, value in limits.items() if value is not None})
    kind = forms.IntegerField if whole else forms.FloatField
    return kind(required=False, widget=widget, error_messages=wrong)


class ConfigForm(forms.ModelForm):
    """Asks for one key's value; what is stored changes only through the configuration's own service."""

    new_value = forms.Field(label="value", required=False)
    seen = forms.CharField(required=False, widget=forms.HiddenInput)

    class Meta:
        model = SystemConfig
        fields = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.key = DECLARED.get(self.instance.key)
        self.fields["seen"].initial = self._version()
        if self.key is not None:
            field = _field_of(self.key)
            field.label, field.initial = "Value", in_use(self.key, self.instance)
            self.fields["new_value"] = field

    def _version(self) -> str:
        return "" if self.instance._state.adding else self.instance.updated_at.isoformat()

    def clean(self) -> dict[str, object]:
        cleaned = super().clean() or {}
        if cleaned.get("seen", "") != self._version():
            raise forms.ValidationError(
                "Somebody else has changed this key in the meantime: look at its history, then save again."
            )
        if BACK_BUTTON not in self.data and self.key is not None and "new_value" in cleaned:
            try:
                cleaned["new_value"] = self.key.checked(cleaned["new_value"])
            except ConfigRefused as refusal:
                self.add_error("new_value", str(refusal))
        return cleaned

    def _post_clean(self) -> None:
        """Do not check the stored value: it may be the one that is to be put right."""


@admin.register(SystemConfig)
class SystemConfigAdmin(RecordAdmin):
    form = ConfigForm
    readonly_fields = ("key", "meaning", "default", "takes", "when")
    fieldsets = ((None, {"fields": ("key", "meaning", "new_value", "seen", "default", "takes", "when")}),)
    actions_submit_line = (_BACK,)
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
            **(extra_context or {}),
        }
        return TemplateResponse(request, "admin/configuration.html", context)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, object] | None = None
    ) -> HttpResponse:
        row = self.get_object(request, unquote(object_id))
        context = {
            "lines": [] if row is None else history_of(row),
            "shows_origin": request.user.has_perm("catalog.view_auditlog"),
            # It stands on the page already.
            "show_history": False,
        }
        return super().change_view(request, object_id, form_url, {**context, **(extra_context or {})})

    def save_model(self, request: HttpRequest, obj: SystemConfig, form: ConfigForm, change: bool) -> None:
        """Store through the service, which writes the AuditLog; what changes nothing is not stored."""
        declared, value = DECLARED.get(obj.key), form.cleaned_data.get("new_value")
        if BACK_BUTTON in request.POST or declared is None or value == declared.default:
            self.back_to_default(request, obj)
        elif not (obj.is_active and obj.value == value):
            values.set_value(obj.key, value, actor_of(request))

    def save_related(self, request: HttpRequest, form: object, formsets: object, change: bool) -> None:
        """Leave all to the service."""

    @action(description="Reset to default", permissions=["change"])
    def back_to_default(self, request: HttpRequest, obj: SystemConfig) -> None:
        if obj.is_active:
            values.clear_value(obj.key, actor_of(request))

    def response_change(self, request: HttpRequest, obj: SystemConfig) -> HttpResponse:
        declared = DECLARED.get(obj.key)
        row = SystemConfig.objects.filter(key=obj.key).first()
        value = "no longer used" if declared is None else f"{shown(in_use(declared, row))} now"
        messages.success(request, f"{obj.key} is {value}. {WHEN}")
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
        return shown(in_use(declared, row) if declared else row.value)

    @display(description="default")
    def default(self, row: SystemConfig) -> str:
        return shown(DECLARED[row.key].default) if row.key in DECLARED else EMPTY

    @display(description="allowed")
    def takes(self, row: SystemConfig) -> str:
        return bounds(DECLARED[row.key]) if row.key in DECLARED else EMPTY

    @display(description="takes effect")
    def when(self, row: SystemConfig) -> str:
        return WHEN


def page_of(key: str) -> str:
    """Return the address of a key's page."""
    return reverse("admin:catalog_systemconfig_change", args=[quote(key)])


def _groups(words: str) -> list[dict[str, object]]:
    """Return the declared keys by group, with their values and who changed them last."""
    rows = {row.key: row for row in SystemConfig.objects.all()}
    last = _last_changes(rows.values())
    found = [key for key in DECLARED.values() if words in f"{key.name} {key.explanation}".lower()]
    return [
        {
            "title": _GROUPS.get(prefix, prefix.capitalize()),
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
        "value": shown(value),
        "is_changed": row is not None and row.is_active,
        "default": shown(key.default),
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
