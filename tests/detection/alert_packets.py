"""Alerts as ZTF and LSST write them, made by the tests that read them."""

from __future__ import annotations

import gzip
import io
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import fastavro
import numpy as np
from astropy.io import fits
from numpy.typing import NDArray

SIDE = 63
STAMPS = ("cutoutScience", "cutoutTemplate", "cutoutDifference")
_NUMBER, _TEXT, _WHOLE, _FLAG = ("double",), ("string",), ("long",), ("boolean",)
_OF_CANDIDATE = {
    **dict.fromkeys(("candid", "pid", "fid", "nbad"), _WHOLE),
    **dict.fromkeys(("isdiffpos", "rbversion", "drbversion", "ssnamenr"), _TEXT),
    **dict.fromkeys(
        ("jd", "exptime", "xpos", "ypos", "ra", "dec", "magpsf", "sigmapsf", "magzpsci", "magzpsciunc", "diffmaglim",
         "scorr", "fwhm", "seeratio", "elong", "rb", "drb", "ssdistnr"), _NUMBER,
    ),
}  # fmt: skip
_OF_SOURCE = {
    **dict.fromkeys(("diaSourceId", "diaObjectId", "ssObjectId", "visit", "detector"), _WHOLE),
    "band": _TEXT,
    **dict.fromkeys(("isNegative", "isDipole", "pixelFlags_saturatedCenter", "pixelFlags_edge"), _FLAG),
    **dict.fromkeys(
        ("midpointMjdTai", "ra", "dec", "x", "y", "xErr", "yErr", "psfFlux", "psfFluxErr", "snr", "reliability", "ixx",
         "iyy", "ixy", "ixxPSF", "iyyPSF"), _NUMBER,
    ),
}  # fmt: skip


def _record(name: str, types: dict[str, tuple[Any, ...]]) -> dict[str, Any]:
    """Return the schema of a record in which everything may be null."""
    fields = [{"name": key, "type": ["null", *kinds], "default": None} for key, kinds in types.items()]
    return {"type": "record", "name": name, "fields": fields}


_STAMP = {
    "type": "record",
    "name": "cutout",
    "fields": [{"name": "fileName", "type": "string"}, {"name": "stampData", "type": "bytes"}],
}
_EARLIER = {"type": "array", "items": _record("earlier", {"candid": _WHOLE, "jd": _NUMBER})}
ZTF_SCHEMA = _record(
    "alert",
    {
        "schemavsn": _TEXT, "publisher": _TEXT, "objectId": _TEXT, "candid": _WHOLE,
        "candidate": (_record("candidate", _OF_CANDIDATE),), "prv_candidates": (_EARLIER,),
        "cutoutScience": (_STAMP,), "cutoutTemplate": ("cutout",), "cutoutDifference": ("cutout",),
    },
)  # fmt: skip
LSST_SCHEMA = _record(
    "lsst",
    {
        "lsst_schema_version": _TEXT, "diaSource": (_record("diaSource", _OF_SOURCE),),
        "ssSource": (_record("ssSource", {"designation": _TEXT}),), **dict.fromkeys(STAMPS, ("bytes",)),
    },
)  # fmt: skip


def star(shape: tuple[int, int] = (SIDE, SIDE), at: tuple[float, float] = (31.0, 31.0), peak: float = 500.0):
    """Return a star of 2.5 px FWHM at (x, y) on a sky of noise 10, another one for each peak."""
    y, x = np.mgrid[: shape[0], : shape[1]]
    light = peak * np.exp(-4.0 * np.log(2.0) * ((x - at[0]) ** 2 + (y - at[1]) ** 2) / 2.5**2)
    noise = np.random.default_rng(int(peak)).normal(0.0, 10.0, shape)
    return (light + noise).astype(np.float32)


def fits_bytes(image: NDArray[Any], *, is_gzipped: bool = True, **cards: object) -> bytes:
    """Return an image as a FITS file, as the surveys put it into their packets."""
    unit = fits.PrimaryHDU(np.asarray(image))
    unit.header.update(cards)
    buffer = io.BytesIO()
    unit.writeto(buffer)
    return gzip.compress(buffer.getvalue()) if is_gzipped else buffer.getvalue()


def ztf(*, stamps: Iterable[bytes | None] | None = None, **candidate: object) -> dict[str, Any]:
    """Return a packet of ZTF: a source of 18 mag that appeared, unless told otherwise; None takes a value away."""
    if stamps is None:
        new, old = star(), star(peak=0.0)
        stamps = (fits_bytes(new), fits_bytes(old), fits_bytes(new - old))
    of_candidate = {
        "candid": 978463981215010000, "pid": 978463981215, "fid": 2, "jd": 2458732.9639815, "exptime": 30.0,
        "isdiffpos": "t", "xpos": 1591.915, "ypos": 1430.917, "ra": 2.8012592, "dec": -12.2713433, "magpsf": 18.0,
        "sigmapsf": 0.05, "magzpsci": 26.0, "magzpsciunc": 0.001, "diffmaglim": 20.5, "scorr": 22.0, "fwhm": 2.0,
        "seeratio": 1.25, "elong": 1.25, "nbad": 5, "rb": 0.8, "rbversion": "t17_f5_c3", "drb": 0.9,
        "drbversion": "d6_m7", "ssdistnr": -999.0, "ssnamenr": "null", **candidate,
    }  # fmt: skip
    return {
        "schemavsn": "4.02", "publisher": "ZTF (www.ztf.caltech.edu)",
        "objectId": of_candidate.pop("objectId", "ZTF18abwhsum"), "candid": of_candidate["candid"],
        "candidate": of_candidate, "prv_candidates": [{"candid": 5, "jd": 1.0}, {"candid": None, "jd": 2.0}],
        **{name: content and {"fileName": name, "stampData": content}
           for name, content in zip(STAMPS, stamps, strict=True)},
    }  # fmt: skip


def lsst(*, side: int = 30, stamps: Iterable[bytes] | None = None, **source: object) -> dict[str, Any]:
    """Return a packet of LSST whose cutouts begin at a pixel of the frame such that the source lies at (14.2, 13.8)."""
    corner = {"CUTMINX": 3794, "CUTMINY": 3607, "BUNIT": "nJy"}
    if stamps is None:
        new, old = star((side, side), (14.2, 13.8)), star((side, side), peak=0.0)
        stamps = [fits_bytes(image, is_gzipped=False, **corner) for image in (new, old, new - old)]
    of_source = {
        "diaSourceId": 170112073308569690, "diaObjectId": 170028528328769656, "ssObjectId": 0,
        "visit": 2026030900240, "detector": 78, "midpointMjdTai": 61109.14520318322, "band": "i", "ra": 185.3013,
        "dec": 8.4729, "x": 3794 + 1 + 14.2, "y": 3607 + 1 + 13.8, "xErr": 0.03, "yErr": 0.04, "psfFlux": 3630.78,
        "psfFluxErr": 100.0, "snr": 35.0, "isNegative": False, "reliability": 0.95, "ixx": 0.25, "iyy": 0.25,
        "ixy": 0.0, "ixxPSF": 0.2287, "iyyPSF": 0.2287, **source,
    }  # fmt: skip
    return {
        "lsst_schema_version": "lsst.v10_0", "diaSource": of_source, "ssSource": None,
        **dict(zip(STAMPS, stamps, strict=True)),
    }  # fmt: skip


def write_avro(path: Path, *records: dict[str, Any], codec: str = "null") -> Path:
    """Write packets of one survey as an Avro container."""
    schema = LSST_SCHEMA if "diaSource" in records[0] else ZTF_SCHEMA
    with path.open("wb") as file:
        fastavro.writer(file, fastavro.parse_schema(schema), records, codec=codec)
    return path
