"""How the configuration is asked for: the control that fits a declared type."""

from __future__ import annotations

from django import forms
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminPasswordWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from catalog.configuration.changes import LONGEST_REASON
from catalog.configuration.keys import ConfigKey, ConfigValue
from catalog.configuration.words import bounds
from catalog.models import SystemConfig


def in_use(key: ConfigKey, row: SystemConfig | None) -> ConfigValue:
    """Return the value that the next run reads."""
    return row.value if row is not None and row.is_active else key.default


def field_of(key: ConfigKey) -> forms.Field:
    """Return the field and control that fit the declared type; bounds are checked in the words of the declaration."""
    wrong = {"invalid": f"{key.name} takes a {bounds(key)}."}
    if key.is_secret:
        # Never with what is stored: it is written, and not read back.
        widget = UnfoldAdminPasswordWidget(render_value=False, attrs={"autocomplete": "new-password"})
        return forms.CharField(required=False, strip=False, widget=widget, help_text="Leave it empty to keep it.")
    if isinstance(key.default, bool):
        return forms.BooleanField(required=False, widget=UnfoldBooleanSwitchWidget())
    if key.choices:
        named = [(choice, choice) for choice in key.choices]
        return forms.ChoiceField(required=False, choices=named, widget=UnfoldAdminSelectWidget())
    if key.longest:
        return forms.CharField(required=False, max_length=key.longest, widget=UnfoldAdminTextInputWidget())
    whole = isinstance(key.default, int)
    limits = {"min": key.minimum, "max": key.maximum, "step": 1 if whole else "any"}
    widget = UnfoldAdminIntegerFieldWidget(attrs={name: value for name, value in limits.items() if value is not None})
    kind = forms.IntegerField if whole else forms.FloatField
    return kind(required=False, widget=widget, error_messages=wrong)


def reason_field() -> forms.CharField:
    """Return the field that asks why; whether it may be empty depends on what is changed."""
    widget = UnfoldAdminTextareaWidget(attrs={"rows": 2})
    return forms.CharField(label="Reason", required=False, max_length=LONGEST_REASON, widget=widget)
