"""The cards of a header's world coordinates, brought to the one form that wcslib reads: right ascension first."""

from __future__ import annotations

import re

from astropy.io import fits

from observations.numerics.fits.cards import readable
from observations.numerics.fits.pointing import is_of_date, parse_angle

_WCS_CARD = re.compile(
    r"(WCSAXES|C(TYPE|RVAL|RPIX|DELT|UNIT|ROTA)\d|(CD|PC|PV)\d+_\d+|[AB]P?_(ORDER|\d+_\d+)|L(ON|AT)POLE|RADESYS|RADECSYS"
    r"|EQUINOX|EPOCH|WAT\d_\d{3}|(CPDIS|CPERR|CQDIS|D2IMDIS|D2IMERR)\d|(DP|DQ|D2IM)\d(\..*)?|D2IMARR|AXISCORR)$"
)
# The matrix as it was written in 1996, which Pan-STARRS writes still.
_OLD_MATRIX_CARD = re.compile(r"PC00(\d)00(\d)$")
_SIP_CARD = re.compile(r"[AB]P?_(ORDER|\d+_\d+)$")
_PV_CARD = re.compile(r"PV\d+_\d+$")
_TABLE_CARD = re.compile(r"((CPDIS|CPERR|CQDIS|D2IMDIS|D2IMERR)\d|(DP|DQ|D2IM)\d(\..*)?|D2IMARR|AXISCORR)$")
_WAT_CARD = re.compile(r"WAT\d_\d{3}$")
_EQUINOX = re.compile(r"([BJ]?)\s*(\d{4}(?:\.\d*)?)$", re.I)
_SYSTEMS = {"J2000": "FK5", "FK5 J2000": "FK5", "FK5J2000": "FK5", "B1950": "FK4", "FK4 B1950": "FK4", "": "ICRS"}
# Of the cards of one world axis, those that go with it when the two are exchanged; PV has its own numbering.
_AXIS_CARD = re.compile(r"(CTYPE|CRVAL|CUNIT|CDELT)([12])$|((?:CD|PC|PV))([12])(_\d+)$")


def is_unset(header: fits.Header) -> bool:
    """Tell whether a WCS is one that nobody filled in: the origin of the sky, or pixels of one degree."""
    numbers = {key: _number(header.get(key)) for key in ("CRVAL1", "CRVAL2", "CDELT1", "CDELT2")}
    zero = [value for key, value in numbers.items() if key.startswith("CRVAL")]
    if all(value == 0 for value in zero):
        return True
    has_matrix = any(key in header for key in ("CD1_1", "PC1_1", "PC001001"))
    ones = [value for key, value in numbers.items() if key.startswith("CDELT")]
    return not has_matrix and all(value is not None and abs(value) == 1 for value in ones)


def _number(value: object) -> float | None:
    try:
        return float(str(value))
    except ValueError:
        return None


def size_solved(header: fits.Header) -> tuple[int, int] | None:
    """Return width and height of the image that a solver was given, which it writes beside its solution."""
    width, height = (_number(header.get(key)) for key in ("IMAGEW", "IMAGEH"))
    return (int(width), int(height)) if width and height else None


def sky_cards(header: fits.Header) -> fits.Header:
    """Return the WCS cards alone, one matrix among them: CD stands before PC, CDELT and CROTA.

    Older programs expect that. Positions written by hours and degrees become degrees; a declination axis that comes
    first is put second. Raises ValueError where the position that it refers to is missing or is none: wcslib would
    take it for 0.
    """
    kept = fits.Header()
    for card in readable(header):
        keyword = _OLD_MATRIX_CARD.sub(r"PC\1_\2", card.keyword)
        if _WCS_CARD.match(keyword) and keyword not in kept:
            # Record-valued cards (DP1.EXTVER: 1) stay as they are.
            kept.append(card if "." in keyword or keyword.startswith(("DP", "DQ")) else (keyword, card.value))
    if any(keyword.startswith("CD1_") for keyword in kept):
        _remove(kept, re.compile(r"(PC\d+_\d+|CDELT\d|CROTA\d)$"))
    types = [str(kept.get(f"CTYPE{i}", "")).upper() for i in (1, 2)]
    if re.match(r"DEC|.LAT", types[0]) and re.match(r"RA|.LON", types[1]):
        kept = _exchanged(kept)
    missing = [key for key in ("CRVAL1", "CRVAL2", "CRPIX1", "CRPIX2") if key not in kept]
    if missing:
        raise ValueError(f"it has no {missing[0]}")
    if re.search(r"\bhours?\b|\bhms\b", str(header.comments["CRVAL1"]), re.I) and not isinstance(kept["CRVAL1"], str):
        raise ValueError("CRVAL1 is in hours by its comment")
    _to_degrees(kept)
    _with_system(kept)
    return _with_one_distortion(kept)


def _exchanged(header: fits.Header) -> fits.Header:
    """The same mapping with the world axes in the other order; those of the pixels stay."""
    result = fits.Header()
    other = {"1": "2", "2": "1"}
    for card in header.cards:
        found = _AXIS_CARD.match(card.keyword)
        if found is None:
            result.append(card)
        elif found[1]:
            result.append((f"{found[1]}{other[found[2]]}", card.value))
        else:
            result.append((f"{found[3]}{other[found[4]]}{found[5]}", card.value))
    return result


def _to_degrees(header: fits.Header) -> None:
    """Replace sexagesimal strings: hours for the first axis, degrees for the second."""
    for i, factor in ((1, 15.0), (2, 1.0)):
        value = header.get(f"CRVAL{i}")
        if not isinstance(value, str):
            continue
        angle = parse_angle(value)
        if angle is None:
            raise ValueError(f"CRVAL{i} = {value} is no angle")
        header[f"CRVAL{i}"] = angle[0] * (factor if angle[1] else 1.0)
    for key in [key for key in header if re.match(r"(CRPIX\d|CDELT\d|CROTA\d|(CD|PC)\d_\d)$", key)]:
        if isinstance(header[key], str):
            header[key] = float(header[key])


def _with_system(header: fits.Header) -> None:
    """Bring the names of the system of coordinates to those of FITS; an equinox that is none is left out.

    Raises ValueError where it is of the date, which wcslib would take for 2000.
    """
    for keyword in ("RADESYS", "RADECSYS"):
        if keyword in header:
            name = str(header[keyword]).strip().upper()
            header[keyword] = _SYSTEMS.get(name, name)
    for keyword in ("EQUINOX", "EPOCH"):
        if keyword not in header:
            continue
        written = str(header[keyword]).strip().upper()
        year = _EQUINOX.match(written)
        if year is not None and 1800 < float(year[2]) < 2100:
            header[keyword] = float(year[2])
            if year[1] == "B" and "RADESYS" not in header and "RADECSYS" not in header:
                header["RADESYS"] = "FK4"
            continue
        del header[keyword]
        if is_of_date(written) and keyword == "EQUINOX":
            raise ValueError(f"its equinox is {written}, not a year")


def _with_one_distortion(header: fits.Header) -> fits.Header:
    types = [str(header.get(f"CTYPE{i}", "")) for i in (1, 2)]
    if "A_ORDER" in header and all(name.endswith("TAN") for name in types):
        for i, name in enumerate(types, start=1):
            header[f"CTYPE{i}"] = f"{name}-SIP"
    if all(name.endswith("-SIP") for name in types) and "A_ORDER" in header:
        _remove(header, _PV_CARD)
    elif all(name.endswith("-TAN") for name in types) and any(key.startswith("PV2_") for key in header):
        # The polynomial of older SCAMP, which wcslib would take for the position of the pole.
        for i, name in enumerate(types, start=1):
            header[f"CTYPE{i}"] = f"{name[:-3]}TPV"
    return header


def without_polynomial(header: fits.Header) -> fits.Header:
    """Return the cards without the SIP polynomial."""
    kept = header.copy()
    _remove(kept, _SIP_CARD)
    for i in (1, 2):
        kept[f"CTYPE{i}"] = str(kept.get(f"CTYPE{i}", "")).removesuffix("-SIP")
    return kept


def without_surfaces(header: fits.Header) -> fits.Header:
    """Return the cards of a TNX as those of the tangent plane that its surfaces are added to."""
    kept = header.copy()
    _remove(kept, _WAT_CARD)
    for i in (1, 2):
        kept[f"CTYPE{i}"] = str(kept.get(f"CTYPE{i}", "")).replace("-TNX", "-TAN")
    return kept


def has_tables(header: fits.Header) -> bool:
    """Tell whether the mapping needs distortion tables, which lie in other HDUs of the file."""
    return any(_TABLE_CARD.match(keyword) for keyword in header)


def without_tables(header: fits.Header) -> fits.Header:
    """Return the cards without those that name distortion tables."""
    kept = header.copy()
    _remove(kept, _TABLE_CARD)
    return kept


def largest_of_tables_px(header: fits.Header) -> float | None:
    """Return the largest shift by all distortion tables, as their headers state it; None where one does not."""
    total = 0.0
    for named, stated in (("CPDIS", "CPERR"), ("D2IMDIS", "D2IMERR")):
        axes = [key[-1] for key in header if re.fullmatch(rf"{named}\d", key)]
        largest = [header.get(f"{stated}{axis}") for axis in axes]
        if named == "CPDIS" and any(value is not None for value in largest):
            largest = [value for value in largest if value is not None]
        if not all(isinstance(value, (int, float)) for value in largest):
            return None
        total += max((abs(float(value)) for value in largest if value is not None), default=0.0)
    return total


def _remove(header: fits.Header, pattern: re.Pattern[str]) -> None:
    for keyword in [key for key in header if pattern.match(key)]:
        del header[keyword]
