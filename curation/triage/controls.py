"""The keys of triage, each in one place: the control that it presses, its line in the help and the key that a person
chooses instead follow from here.

Arrows stand for `j` and `k`, and the space bar is held: static/js/keys.js and triage-input.js know those. The first
labels answer to the digits from 1.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from django.utils.html import format_html
from django.utils.safestring import SafeString

from curation.models import ConfidenceLevel

LABELS_ON_KEYS = 9


@dataclass(frozen=True)
class Control:
    """One key: the action of the page's script, the words of the help, and further keys that do the same."""

    action: str
    key: str
    help: str
    also: tuple[str, ...] = ()

    @property
    def act(self) -> SafeString:
        """What makes a button this control."""
        return format_html('data-action="{}" data-key="{}"', self.action, self.key)

    @property
    def cap(self) -> SafeString:
        """The key as people read it."""
        return format_html("<kbd>{}</kbd>", self.key.replace("-", "−"))


JUDGE = (
    Control("real", "v", "real: something in the sky that this frame shows"),
    Control("bogus", "x", "bogus; where you have chosen so, a second key then says why"),
)
# How sure the next answer is.
LEVELS = tuple(
    Control(level.value, key, f"{level.label.lower()} confidence in the next answer")
    for key, level in zip("qwer", ConfidenceLevel, strict=True)
)
ARM = (
    Control("imageQuality", "a", "quality of the images, with the next answer: poor, fair, good, excellent"),
    Control("detectionQuality", "h", "quality of the detection, with the next answer"),
    Control("tag", "t", "tags for the next answer; Esc leaves them"),
    Control("note", "n", "write a note for the next answer; Esc leaves it"),
)
MOVE = (
    Control("next", "j", "next, without an answer", ("→", "↓")),
    Control("previous", "k", "previous", ("←", "↑")),
    Control("undo", "u", "undo the last answer"),
    Control("snooze", "z", "put it off, until a time or until it is seen again"),
    Control("opinion", "f", "ask somebody else: a second opinion"),
    Control("rejectFrame", "y", "reject the whole frame: first you see what that would be"),
    Control("epoch", "g", "the next epoch of the object, large: held, it blinks through them"),
    Control("context", "p", "what lies around it, 3′ wide: again, or Esc, closes it"),
    Control("why", ";", "why it has its score: in words, and the most alike that people have answered"),
    Control("frame", "d", "the whole frame with this detection in the middle, in another tab"),
)
LOOK = (
    Control("blink", "b", "blinks reference and science; hold the space bar to see the reference"),
    Control("pace", ",", "blink slower or faster"),
    Control("stretch", "s", "next stretch: asinh, linear, log, sqrt, zscale, faint"),
    Control("colours", "o", "colours that every eye tells apart, or greys"),
    Control("contrastDown", "[", "less contrast"),
    Control("contrastUp", "]", "more contrast"),
    Control("invert", "i", "invert the greys"),
    Control("zoomIn", "+", "zoom in on all three; drag to move"),
    Control("zoomOut", "-", "zoom out"),
    Control("zoomReset", "0", "the whole images"),
    Control("mask", "m", "masked pixels"),
    Control("crosshair", "c", "crosshair"),
    Control("ruler", ".", "a drag measures; with Shift held it always does"),
    Control("reload", "l", "load the images again if they have not appeared"),
)
HELP = (Control("help", "?", "this list"),)
GROUPS: Mapping[str, tuple[Control, ...]] = MappingProxyType(
    {"judge": JUDGE, "levels": LEVELS, "arm": ARM, "move": MOVE, "look": LOOK, "help": HELP}
)
EVERY = tuple(control for group in GROUPS.values() for control in group)
_DIGITS = frozenset(map(str, range(1, LABELS_ON_KEYS + 1)))


class KeyRefused(ValueError):
    """This key cannot be chosen; the text says why. `action` is that of the control."""

    def __init__(self, action: str, reason: str) -> None:
        """Keep for which control it is."""
        super().__init__(reason)
        self.action = action


@dataclass(frozen=True)
class Keys:
    """The controls with the keys of one person; `chosen` holds those by action that are not the usual ones."""

    chosen: Mapping[str, str] = field(default_factory=dict)

    @property
    def groups(self) -> dict[str, tuple[Control, ...]]:
        """Return the controls by group, in the order of the help."""
        return {name: tuple(map(self._own, group)) for name, group in GROUPS.items()}

    @property
    def by_action(self) -> dict[str, Control]:
        """Return the controls by action."""
        return {control.action: self._own(control) for control in EVERY}

    def _own(self, control: Control) -> Control:
        """Return a control with the person's key; one that is newer than their choice of its usual key has none."""
        usual = "" if control.key in self.chosen.values() else control.key
        return replace(control, key=self.chosen.get(control.action, usual))


def choose(wanted: Mapping[str, str]) -> Keys:
    """Return the keys of a person who wants these, by action; raises KeyRefused for what cannot be pressed alone."""
    chosen: dict[str, str] = {}
    taken: dict[str, Control] = {}
    for control in EVERY:
        key = unicodedata.normalize("NFC", wanted.get(control.action, "")).lower() or control.key
        if len(key) != 1 or not key.isprintable() or key == " ":
            raise KeyRefused(control.action, "Give one letter or sign.")
        if key in _DIGITS:
            raise KeyRefused(control.action, "1 to 9 are those of the labels: give another key.")
        if key in taken:
            raise KeyRefused(control.action, f"“{key}” is already the key for: {taken[key].help}.")
        taken[key] = control
        if key != control.key:
            chosen[control.action] = key
    return Keys(chosen)
