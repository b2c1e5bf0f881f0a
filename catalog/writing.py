"""Numbers, times and positions as astronomers read them, on pages and in what their scripts ask for."""

from __future__ import annotations

from datetime import UTC, datetime

MISSING = "–"
_MINUTE, _HOUR, _DAY = 60, 3600, 86400


def utc(value: datetime | None) -> str:
    """Return "2024-03-01 21:00:00" in UTC."""
    return MISSING if value is None else f"{value.astimezone(UTC):%Y-%m-%d %H:%M:%S}"


def duration(seconds: float) -> str:
    """Return a time span in its largest unit: 200.0 is "3 min"."""
    for unit, name in ((_DAY, "d"), (_HOUR, "h"), (_MINUTE, "min")):
        if seconds >= unit:
            return f"{int(seconds // unit)} {name}"
    return f"{int(seconds)} s"


def size(count: int) -> str:
    """Return so many bytes in words: 2500000 is "2.5 MB"."""
    for unit, name in ((10**12, "TB"), (10**9, "GB"), (10**6, "MB"), (10**3, "kB")):
        if count >= unit:
            return f"{count / unit:.1f} {name}"
    return f"{count} bytes"


def number(value: float | None, decimals: int = 2) -> str:
    """Return a number with so many decimals, a dash for a missing one."""
    return MISSING if value is None else f"{value:.{decimals}f}".replace("-", "−")


def signed(value: float | None, decimals: int = 1) -> str:
    """Return a number with its sign."""
    return MISSING if value is None else f"{value:+.{decimals}f}".replace("-", "−")


def sexagesimal_ra(degrees: float) -> str:
    """Return hours, minutes and seconds: 250.0 is 16:40:00.00."""
    hundredths = round(degrees / 15 * 360000) % (24 * 360000)
    return _digits(hundredths)


def sexagesimal_dec(degrees: float) -> str:
    """Return degrees, minutes and seconds with a sign: -0.5 is −00:30:00.0."""
    tenths = round(abs(degrees) * 36000)
    sign = "−" if degrees < 0 and tenths else "+"
    return f"{sign}{tenths // 36000:02d}:{tenths // 600 % 60:02d}:{tenths // 10 % 60:02d}.{tenths % 10}"


def _digits(hundredths: int) -> str:
    seconds, rest = divmod(hundredths, 100)
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}.{rest:02d}"
