"""A note as it is written."""

from __future__ import annotations

from django import forms


class NoteForm(forms.Form):
    """A text that says something."""

    text = forms.CharField(
        max_length=5000,
        label="Write a note",
        widget=forms.Textarea(attrs={"rows": 2, "placeholder": "@name tells that person"}),
    )

    def clean_text(self) -> str:
        """Return the text; characters that cannot be stored are refused."""
        text = str(self.cleaned_data["text"])
        if "\0" in text:
            raise forms.ValidationError("It contains a character that cannot be stored.")
        return text
