"""Header cards as claims: typed access that never raises and never invents."""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from astropy.io import fits
from astropy.io.fits.verify import VerifyError
from astropy.utils.exceptions import AstropyUserWarning

_COMMENTARY = ("COMMENT", "HISTORY", "")
# A decimal comma; three digits after another than 0 may be thousands.
_COMMA = re.compile(r"([+-]?(?:\d+(?=,(?!\d{3}$))|0)),(\d+(?:[EeDd][+-]?\d+)?)$")
# Of a mosaic's primary header these describe the (absent) primary image, not the extensions.
_NOT_INHERITED = re.compile(
    r"(SIMPLE|XTENSION|EXTEND|BITPIX|NAXIS\d*|PCOUNT|GCOUNT|BSCALE|BZERO|BLANK|CHECKSUM|DATASUM|EXTNAME|EXTVER|INHERIT"
    r"|NEXTEND|WCSAXES|C(TYPE|RVAL|RPIX|DELT|UNIT|ROTA)\d|(CD|PC|PV|PS)\d+_\d+|[AB]P?_(ORDER|\d+_\d+)|L(ON|AT)POLE"
    r"|CPDIS\d|D2IMDIS\d)$"
)


@dataclass(frozen=True)
class Card:
    """One card: keyword, value as FITS types it, comment, and the value as it was written."""

    keyword: str
    value: object
    comment: str
    written: str


class Cards:
    """The cards of one image, those of a mosaic's primary header behind them; the first of two wins.

    repeated : the second card of keywords that stand there twice with different values.
    """

    def __init__(
        self,
        header: fits.Header,
        primary: fits.Header | None = None,
        is_ignored: Callable[[str], bool] | None = None,
    ) -> None:
        self._cards: dict[str, Card] = {}
        self._inherited: set[str] = set()
        self.history = tuple(_history(header))
        self.repeated: dict[str, Card] = {}
        for card in _read(header):
            if is_ignored is None or not is_ignored(card.keyword):
                first = self._cards.setdefault(card.keyword, card)
                if not _is_same(first.value, card.value):
                    self.repeated.setdefault(card.keyword, card)
        if primary is not None:
            for card in _read(primary):
                is_own = card.keyword in self._cards or (is_ignored is not None and is_ignored(card.keyword))
                if not is_own and not _NOT_INHERITED.match(card.keyword):
                    self._cards[card.keyword] = card
                    self._inherited.add(card.keyword)

    def get(self, keyword: str) -> Card | None:
        return self._cards.get(keyword)

    def is_inherited(self, keyword: str) -> bool:
        """Tell whether a keyword stands in a mosaic's primary header only."""
        return keyword in self._inherited

    def starting_with(self, prefix: str) -> list[Card]:
        return [card for keyword, card in self._cards.items() if keyword.startswith(prefix)]

    def text(self, keyword: str) -> str | None:
        """The value as stripped text; None where absent or empty."""
        card = self._cards.get(keyword)
        if card is None or card.value is None or isinstance(card.value, bool):
            return None
        text = str(card.value).strip()
        return text or None

    def number(self, keyword: str) -> float | None:
        """The value as a finite number, also where it was written as a string; None where it is none."""
        card = self._cards.get(keyword)
        if card is None or card.value is None or isinstance(card.value, (bool, complex)):
            return None
        try:
            number = float(_COMMA.sub(r"\1.\2", str(card.value).strip()))
        except ValueError:
            return None
        return number if math.isfinite(number) else None

    def comment(self, keyword: str) -> str:
        card = self._cards.get(keyword)
        return "" if card is None else card.comment

    def flag(self, keyword: str) -> bool:
        card = self._cards.get(keyword)
        return card is not None and card.value is True

    def first_text(self, keywords: Iterable[str]) -> str | None:
        return next((text for text in map(self.text, keywords) if text is not None), None)

    def as_json(self) -> dict[str, object]:
        """All cards as JSON takes them: NaN and undefined become null, commentary is left out."""
        return {keyword: _jsonable(card.value) for keyword, card in self._cards.items()}


def _is_same(first: object, second: object) -> bool:
    """Whether two values are one, however they are written."""
    if str(first).strip() == str(second).strip():
        return True
    try:
        return float(str(first)) == float(str(second))
    except ValueError:
        return False


def readable(header: fits.Header) -> Iterator[fits.Card]:
    """Yield the cards of a header that can be read; the others are as if they were not there."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AstropyUserWarning)
        for card in header.cards:
            try:
                card.keyword, card.value, card.comment  # noqa: B018
            except (VerifyError, ValueError):
                continue
            yield card


def _read(header: fits.Header) -> Iterator[Card]:
    for card in readable(header):
        if card.keyword not in _COMMENTARY and not isinstance(card.value, fits.card.Undefined):
            yield Card(card.keyword, card.value, card.comment, card.image.partition("=")[2])


def _history(header: fits.Header) -> Iterable[str]:
    """The lines by which programs say what they did."""
    return (str(line) for line in header["HISTORY"]) if "HISTORY" in header else ()


def _jsonable(value: object) -> object:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, complex):
        return str(value)
    if isinstance(value, str):
        return value.replace("\x00", "")
    return value
