"""Single lights as an amateur's camera delivers them: noise alone, with a header that a test may change."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from astropy.io import fits


def write(path: Path, data: Any = None, **cards: object) -> Path:
    """Write a light as an amateur's camera delivers it; a card of None is left out."""
    about: dict[str, object] = {
        "IMAGETYP": "Light Frame",
        "DATE-OBS": "2026-01-19T03:00:00",
        "EXPTIME": 180.0,
        "FILTER": "R",
        "OBJCTRA": "10 00 24",
        "OBJCTDEC": "+22 12 00",
        "PIXSCALE": 1.2,
    }
    if data is None:
        data = np.random.default_rng(1).normal(1000.0, 10.0, (200, 200)).astype(np.float32)
    hdu = fits.PrimaryHDU(data)
    for keyword, value in (about | {k.replace("_", "-"): v for k, v in cards.items()}).items():
        if value is not None:
            hdu.header[keyword] = value
    hdu.writeto(path)
    return path
