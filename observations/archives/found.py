"""What archives offer, whatever way they are read."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

FITS_ENDINGS = tuple(
    f"{plain}{packed}" for plain in (".fits", ".fit", ".fts") for packed in ("", ".gz", ".fz", ".fz.gz")
)
DATALINK = "content=datalink"
# What a FITS file is called by servers, besides names that hold "fits".
_MAY_BE_FITS = ("octet-stream", "gzip", "x-compress", "binary")


class ListRefused(Exception):
    """An archive gave no list of files that can be used; the sentence says why, in its own words where it has some."""


@dataclass(frozen=True)
class Found:
    """One file that an archive offers.

    name : what it is known by. version : size and time of change, where an index tells them. not_before : when it
    becomes public. refusal : why it cannot be fetched, "" where it can.
    """

    name: str
    url: str
    title: str = ""
    access_format: str = ""
    size_bytes: int | None = None
    time: dt.datetime | None = None
    version: str = ""
    not_before: dt.datetime | None = None
    refusal: str = ""


@dataclass(frozen=True)
class Window:
    """A span of times of observation, UTC."""

    start: dt.datetime
    end: dt.datetime

    def halves(self) -> tuple[Window, Window] | None:
        """Return the two halves; None of what is shorter than two minutes."""
        if self.end - self.start < dt.timedelta(minutes=2):
            return None
        middle = self.start + (self.end - self.start) / 2
        return Window(self.start, middle), Window(middle, self.end)


@dataclass(frozen=True)
class Listing:
    """What an archive answered. is_short : there is more than it told. words : what it said beside that."""

    found: tuple[Found, ...]
    is_short: bool = False
    words: str = ""


def refusal_of_format(access_format: str) -> str:
    """Return why what is said to be of a format cannot be a frame, "" where it may be one."""
    plain = access_format.casefold()
    if not plain or "fits" in plain or DATALINK in plain or any(word in plain for word in _MAY_BE_FITS):
        return ""
    return f"It is no FITS file but {access_format[:100]}."


def is_fits_name(name: str) -> bool:
    """Tell whether a file is FITS by its name."""
    return name.casefold().endswith(FITS_ENDINGS)
