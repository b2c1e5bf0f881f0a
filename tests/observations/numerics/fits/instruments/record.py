"""What a table of instruments is made of: a header that bears facts, and what these facts are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from astropy.io import fits
from astropy.time import Time


@dataclass(frozen=True)
class Refusal:
    """The codes by which a header may be refused, and what the sentence must name so that a person can act."""

    codes: tuple[str, ...]
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Instrument:
    """One header of one writer, typed anew: only the cards that bear facts.

    source : where such a header or its meaning is public, and why the facts are what they are. cards : cards between
    `|` and line ends, as they are written. shape : (ny, nx). expected : fact -> value, by the names of `FrameFacts`;
    "sky" is (ra, dec, arcsec within which the frame's centre must lie). given : what a person must give beside the
    header before the facts can be read. refused : what happens without that. doubted : facts that may not pass without
    a doubt. disputed : facts about which the header contradicts itself, so that a doubt may stop a publication but need
    not. within : tolerances that differ from those of the test.
    """

    name: str
    software: str
    is_amateur: bool
    source: str
    cards: str
    shape: tuple[int, int]
    expected: Mapping[str, object] = field(default_factory=dict)
    given: Mapping[str, object] = field(default_factory=dict)
    refused: Refusal | None = None
    doubted: tuple[str, ...] = ()
    disputed: tuple[str, ...] = ()
    within: Mapping[str, float] = field(default_factory=dict)
    primary: str = ""

    def header(self) -> fits.Header:
        """Return the header of the image, with the axes of `shape`."""
        axes = f"NAXIS = 2 | NAXIS1 = {self.shape[1]} | NAXIS2 = {self.shape[0]}"
        return header_of(f"{axes}\n{self.cards}")

    def primary_header(self) -> fits.Header | None:
        """Return the header before the image's own, where the image is an extension."""
        return header_of(self.primary) if self.primary else None


def header_of(text: str) -> fits.Header:
    """Return the header that these cards make; what is longer than a card is cut, as writers do."""
    parts = [part.strip() for line in text.splitlines() for part in line.split(" | ")]
    return fits.Header([fits.Card.fromstring(_image(part)[:80]) for part in parts if part])


def _image(part: str) -> str:
    if part.startswith(("HIERARCH ", "HISTORY ", "COMMENT ")):
        return part
    keyword, _, rest = part.partition("=")
    return f"{keyword.strip():<8}= {rest.strip()}"


def at(iso_utc: str, seconds_later: float = 0.0) -> float:
    """Return the Modified Julian Date (UTC) of an instant, some seconds later."""
    return float(Time(iso_utc, scale="utc").mjd) + seconds_later / 86400.0
