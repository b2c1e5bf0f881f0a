"""What the page of triage sends, read and refused with a reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django import forms

from curation.models import ConfidenceLevel, DeferralKind, EventKind, Quality, Shown
from curation.triage.ahead import BUNDLE
from curation.triage.controls import EVERY, GROUPS, Control, Keys, choose
from curation.triage.review import MOST_COVERED

# A page asks for a few at a time, and names those that it shows.
MOST_HELD = 1000
MOST_TAGS = 20
_OF_LABELS = 64


class KeysField(forms.Field):
    """A list of keys."""

    def to_python(self, value: Any) -> list[UUID]:
        """Return the keys of a JSON list, or of one text with commas between them."""
        parts = value.split(",") if isinstance(value, str) else (value or [])
        if not isinstance(parts, list) or len(parts) > MOST_HELD:
            raise forms.ValidationError(f"This must be a list of at most {MOST_HELD} keys.")
        try:
            return [UUID(str(part)) for part in parts if part]
        except ValueError as error:
            raise forms.ValidationError("One of these keys is not a UUID.") from error


class EpochsField(forms.JSONField):
    """The other epochs of an object that an answer is about: `detection`, `id` of the event, `shown`, `supersedes`."""

    def clean(self, value: object) -> list[Epoch]:
        """Return the epochs; a list of objects that cannot be read is refused whole."""
        given = super().clean(value) or []
        if not isinstance(given, list) or len(given) > MOST_COVERED:
            raise forms.ValidationError(f"This must be a list of at most {MOST_COVERED} epochs.")
        try:
            return [Epoch.read(one) for one in given]
        except (KeyError, TypeError, ValueError) as error:
            raise forms.ValidationError("One of these epochs cannot be read.") from error


@dataclass(frozen=True)
class Epoch:
    """Another epoch of an object, and the event that an answer is about it."""

    id: UUID
    detection_id: UUID
    shown: str
    supersedes_id: UUID | None

    @classmethod
    def read(cls, given: Mapping[str, str]) -> Epoch:
        """Return what JSON says; raises ValueError, KeyError or TypeError where it says something else."""
        old = given.get("supersedes")
        shown = str(given.get("shown", ""))
        if shown and shown not in Shown.values:
            raise ValueError(shown)
        return cls(UUID(given["id"]), UUID(given["detection"]), shown, UUID(old) if old else None)


class WindowForm(forms.Form):
    """Who asks: the page's own key, the person that it was made for, and whether it goes by single detections."""

    window = forms.UUIDField()
    person = forms.UUIDField()
    by_detection = forms.BooleanField(required=False)


class NextForm(WindowForm):
    """What the page wants to be given next, and what it holds."""

    query = forms.CharField(required=False, max_length=2000)
    count = forms.IntegerField(min_value=0, max_value=BUNDLE)
    after = forms.UUIDField(required=False)
    one = forms.UUIDField(required=False)
    holding = KeysField(required=False)
    former = forms.UUIDField(required=False)
    take_over = forms.BooleanField(required=False)


class PresenceForm(WindowForm):
    """That the page is open, and what it has told its person."""

    told = KeysField(required=False)


class ReleaseForm(WindowForm):
    """What the page gives back: these, or everything but those."""

    keys = KeysField(required=False)
    kept = KeysField(required=False)


class SeenForm(forms.Form):
    """Which detection is on screen."""

    detection = forms.UUIDField()


class SaidForm(WindowForm, SeenForm):
    """Of which detection the page wants to know what people say."""


class TagsField(forms.JSONField):
    """A list of short texts."""

    def clean(self, value: object) -> tuple[str, ...]:
        """Return the tags, each once; whether they can be stored is for the rule of answers to say."""
        given = super().clean(value) or []
        if not isinstance(given, list) or len(given) > MOST_TAGS or not all(isinstance(tag, str) for tag in given):
            raise forms.ValidationError(f"This must be a list of at most {MOST_TAGS} texts.")
        return tuple(dict.fromkeys(tag.strip() for tag in given if tag.strip()))


class AnswerForm(WindowForm):
    """One judgement as the browser keeps it until it is saved."""

    id = forms.UUIDField()
    detection = forms.UUIDField()
    kind = forms.ChoiceField(choices=EventKind)
    # Django takes the fields out of the class: the method of this name stays.
    is_valid = forms.NullBooleanField(required=False)  # type: ignore[assignment]
    label = forms.CharField(required=False, max_length=_OF_LABELS)
    confidence_level = forms.ChoiceField(choices=ConfidenceLevel)
    notes = forms.CharField(required=False, strip=False)
    image_quality = forms.ChoiceField(choices=Quality, required=False)
    detection_quality = forms.ChoiceField(choices=Quality, required=False)
    supersedes = forms.UUIDField(required=False)
    seconds_taken = forms.FloatField(required=False, min_value=0.0)
    visible_context = forms.JSONField(required=False)
    was_held = forms.BooleanField(required=False)
    group = forms.UUIDField(required=False)
    others = EpochsField(required=False)
    tags = TagsField(required=False)

    # What people are told of what they did not write themselves: their page did.
    in_words = {
        "window": "the page that it was given on",
        "person": "whose answer it is",
        "by_detection": "whether objects or single detections are reviewed",
        "id": "its own key",
        "detection": "the detection",
        "kind": "whether it is a verdict or a withdrawal",
        "is_valid": "real or bogus",
        "label": "the label",
        "confidence_level": "your confidence",
        "notes": "the note",
        "image_quality": "the image quality",
        "detection_quality": "the detection quality",
        "supersedes": "the answer that it replaces",
        "seconds_taken": "how long it took",
        "visible_context": "what was on screen",
        "was_held": "whether the detection was yours",
        "group": "the key of the answer as a whole",
        "others": "the other epochs that it is about",
        "tags": "the tags",
    }

    @property
    def refusal(self) -> str:
        """Return in one sentence what is missing or cannot be read."""
        lacking = [self.in_words[name] for name in self.errors if name in self.in_words]
        return f"This answer cannot be read. Missing or not valid: {', '.join(lacking)}."


class DeferralForm(WindowForm):
    """What the page puts off, or the taking back of that: `supersedes` is then the key of what was put off."""

    id = forms.UUIDField()
    detection = forms.UUIDField()
    kind = forms.ChoiceField(choices=[*DeferralKind.choices, (EventKind.WITHDRAWAL.value, "taken back")])
    until = forms.DateTimeField(required=False)
    notes = forms.CharField(required=False, strip=False, max_length=5000)
    supersedes = forms.UUIDField(required=False)
    others = EpochsField(required=False)


class FrameForm(WindowForm):
    """The rejection of the frame of a detection; `group` is the key of the whole."""

    detection = forms.UUIDField()
    group = forms.UUIDField()
    label = forms.CharField(required=False, max_length=_OF_LABELS)
    notes = forms.CharField(required=False, strip=False, max_length=5000)
    visible_context = forms.JSONField(required=False)


class FrameBackForm(WindowForm):
    """The taking back of a frame's rejection."""

    group = forms.UUIDField()


class SettingsForm(forms.Form):
    """How one person works: a key for each control, empty for the usual one, and whether reasons are asked for."""

    asks_for_reason = forms.BooleanField(
        required=False,
        label="After “bogus”, ask why",
        help_text="A second key then names the label; Enter goes on without one.",
    )

    def __init__(self, data: Mapping[str, str] | None = None, initial: dict[str, object] | None = None) -> None:
        """Add a field for each control."""
        super().__init__(data, initial=initial)
        for control in EVERY:
            box = forms.TextInput(attrs={"size": 3, "placeholder": control.key, "autocapitalize": "none"})
            self.fields[control.action] = forms.CharField(
                required=False, max_length=8, label=control.help, widget=box, label_suffix=""
            )

    @property
    def groups(self) -> list[tuple[str, list[tuple[Control, forms.BoundField]]]]:
        """Return the fields of the controls under the titles of their groups."""
        return [(_TITLES[name], [(one, self[one.action]) for one in group]) for name, group in GROUPS.items()]

    @property
    def chosen(self) -> Keys:
        """Return the keys that are asked for; raises KeyRefused."""
        return choose({control.action: self.cleaned_data.get(control.action, "") for control in EVERY})


_TITLES = {
    "judge": "Judge", "levels": "Confidence", "arm": "With the next answer", "move": "Move", "look": "Look",
    "help": "Help",
}  # fmt: skip
