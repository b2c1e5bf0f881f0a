"""Frames whose raw file lies in the data root, for tests of pages."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from astropy.io import fits

from catalog.files import storage
from observations.models import Observation
from tests.factories import ObservationFactory


def fits_bytes(pixels: np.ndarray, **cards: Any) -> bytes:
    """Return a FITS file of one image."""
    hdu = fits.PrimaryHDU(np.asarray(pixels, dtype=np.float32))
    hdu.header.update(cards)
    buffer = io.BytesIO()
    hdu.writeto(buffer)
    return buffer.getvalue()


def stored_frame(pixels: np.ndarray | None = None, **values: Any) -> Observation:
    """Make a frame with its file."""
    row: Observation = ObservationFactory(**values)
    data = np.arange(48 * 64, dtype=np.float32).reshape(48, 64) if pixels is None else pixels
    row.fits_file_path = storage.write_atomically(f"raw/{row.pk}.fits", fits_bytes(data))
    row.save()
    return row
