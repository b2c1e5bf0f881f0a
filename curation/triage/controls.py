"""The keys of triage, each in one place: the control that it presses and its line in the help follow from here.

Arrows stand for `j` and `k`, and the space bar is held: static/js/keys.js and triage-input.js know those.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from django.utils.html import format_html
from django.utils.safestring import SafeString

from curation.models import ConfidenceLevel


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
    Control("bogus", "x", "bogus"),
)
MOVE = (
    Control("next", "j", "next, without an answer", ("→", "↓")),
    Control("previous", "k", "previous", ("←", "↑")),
    Control("undo", "u", "undo the last answer"),
    Control("epoch", "g", "the next epoch of the object, large: held, it blinks through them"),
    Control("note", "n", "write a note for the next answer; Esc leaves it"),
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
HELP = Control("help", "?", "this list")
BY_ACTION: Mapping[str, Control] = MappingProxyType(
    {control.action: control for control in (*JUDGE, *MOVE, *LOOK, HELP)}
)
# How sure the next answer is.
LEVEL_KEYS: Mapping[str, ConfidenceLevel] = MappingProxyType(dict(zip("qwer", ConfidenceLevel, strict=True)))
# The first labels answer to the digits from 1.
LABELS_ON_KEYS = 9
