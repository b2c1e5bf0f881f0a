"""A filter as it is saved."""

from __future__ import annotations

from django import forms


class SaveForm(forms.Form):
    """Its name, what it narrows to, and whether others may use it."""

    name = forms.CharField(max_length=60)
    query = forms.CharField(required=False, max_length=1000)
    is_shared = forms.BooleanField(required=False)
    is_default = forms.BooleanField(required=False)
