"""Simulated nights as FITS files, with the headers of a small observatory's camera, and their truth beside them."""

from __future__ import annotations

import io
import math
from collections.abc import Iterator
from datetime import datetime

import numpy as np
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.wcs import WCS
from numpy.typing import NDArray

from observations.numerics.simulate.names import TELESCOPE
from observations.numerics.simulate.nights import Light, Night, NightParameters
from observations.numerics.simulate.pair import move
from observations.numerics.site import time_of

BAND = "R"
# Where the simulated telescope stands: west longitudes carry a minus, as most headers write them.
_SITE = {"SITELAT": "+37 13 25", "SITELONG": "-02 32 46"}


def field_wcs(p: NightParameters) -> WCS:
    """Return the true WCS of the field's own grid: north up, east left."""
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.cunit = ["deg", "deg"]
    wcs.wcs.crval = [p.ra_deg, p.dec_deg]
    wcs.wcs.crpix = [(p.size + 1) / 2, (p.size + 1) / 2]
    step = p.pixel_scale_arcsec / 3600.0
    wcs.wcs.cd = [[-step, 0.0], [0.0, step]]
    wcs.wcs.radesys = "ICRS"
    wcs.wcs.set()
    return wcs


def night_files(night: Night, p: NightParameters, *, with_wcs: bool = True) -> Iterator[tuple[str, bytes]]:
    """Yield (file name, bytes) of every frame of a night, calibration frames first."""
    when = time_of(night.lights[0].mjd_utc - 0.08)  # calibration frames are taken two hours before
    for kind, frames, seconds in (
        ("Bias Frame", night.bias, 0.0),
        ("Dark Frame", night.dark, p.exposure_s),
        ("Flat Field", night.flat, 5.0),
    ):
        for k, data in enumerate(frames, start=1):
            name = f"night{night.number + 1}_{kind.split()[0].lower()}{k:02d}.fits"
            yield name, _file(data, _header(night, p, kind, when, seconds))
    for k, frame in enumerate(night.lights):
        header = _header(night, p, "Light Frame", time_of(frame.mjd_utc), p.exposure_s)
        header.update(_pointing(frame, p))
        if with_wcs:
            header.update(_claimed_wcs(frame, p, k).to_header())
        yield f"{frame.name}.fits", _file(frame.data, header)


def truth(nights: list[Night], p: NightParameters) -> dict[str, object]:
    """Return what is in the files, by file name: positions in the raw grid and in the sky, fluxes in ADU.

    `magnitude` is that of the change; `artefacts` look like stars and are none. `defect_distance_px` is how far a
    source lies from what is saturated, bad, hit or trailed, and from the edge.
    """
    wcs = field_wcs(p)
    files: dict[str, object] = {}
    for night in nights:
        for frame in night.lights:
            entries = []
            for source in frame.sources:
                x, y = _to_field(frame, p, source.x, source.y)
                ra, dec = wcs.all_pix2world(x, y, 0)
                entries.append(
                    {"name": source.name, "kind": source.kind, "x": source.x, "y": source.y, "ra": float(ra),
                     "dec": float(dec), "flux_adu": source.flux_adu, "change_adu": source.change_adu,
                     "magnitude": source.magnitude, "is_on_host": source.is_on_host,
                     "defect_distance_px": _defect_distance(frame, source.x, source.y)}
                )  # fmt: skip
            files[f"{frame.name}.fits"] = {
                "night": night.number + 1,
                "mjd_utc": frame.mjd_utc,
                "is_clouded": frame.is_clouded,
                "fwhm_px": frame.fwhm_px,
                "transparency": frame.transparency,
                "sources": entries,
                "artefacts": [
                    {"kind": each.kind, "x": each.x, "y": each.y, "flux_adu": each.flux} for each in frame.artefacts
                ],
            }
    return {"seed": p.seed, "size": p.size, "files": files}


def _defect_distance(frame: Light, x: float, y: float) -> float:
    """Return the distance [px] to the nearest pixel that holds no true sky, or to the edge where that is nearer."""
    ny, nx = frame.defects.shape
    rows, columns = np.nonzero(frame.defects)
    nearest = np.min(np.hypot(columns - x, rows - y), initial=math.inf)
    return float(max(0.0, min(nearest, x + 0.5, y + 0.5, nx - 0.5 - x, ny - 0.5 - y)))


def _to_field(frame: Light, p: NightParameters, x: float, y: float) -> tuple[float, float]:
    """Take a position of the frame back to the field's grid."""
    shape = (p.size, p.size)
    px, py = np.array([x - frame.offset_px[0]]), np.array([y - frame.offset_px[1]])
    fx, fy = move(px, py, shape, (0.0, 0.0), -frame.rotation_deg)
    return float(fx[0]), float(fy[0])


def _claimed_wcs(frame: Light, p: NightParameters, k: int) -> WCS:
    """Return the WCS a telescope would claim: the true one of the frame, off by a few arcseconds."""
    wcs = field_wcs(p)
    centre = (p.size - 1) / 2.0
    fx, fy = _to_field(frame, p, centre, centre)
    ra, dec = wcs.all_pix2world(fx, fy, 0)
    error = 2.0 / 3600.0
    wcs.wcs.crval = [float(ra) + error * np.cos(k), float(dec) + error * np.sin(k)]
    turn = np.radians(frame.rotation_deg)
    back = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    wcs.wcs.cd = wcs.wcs.cd @ back
    wcs.wcs.set()
    return wcs


def _pointing(frame: Light, p: NightParameters) -> dict[str, object]:
    fx, fy = _to_field(frame, p, (p.size - 1) / 2.0, (p.size - 1) / 2.0)
    ra, dec = field_wcs(p).all_pix2world(fx, fy, 0)
    place = SkyCoord(float(ra), float(dec), unit="deg")
    return {
        "OBJCTRA": place.ra.to_string(unit="hour", sep=" ", precision=2, pad=True),
        "OBJCTDEC": place.dec.to_string(unit="deg", sep=" ", precision=1, pad=True, alwayssign=True),
    }


def _header(night: Night, p: NightParameters, kind: str, when: datetime, seconds: float) -> fits.Header:
    detector = night.detector
    header = fits.Header()
    header["TELESCOP"] = (TELESCOPE, "frames of a simulation, not of the sky")
    header["INSTRUME"] = "Simulated CCD 1K" if p.size <= 1024 else "Simulated CCD"
    header["IMAGETYP"] = kind
    header["EXPTIME"] = (seconds, "s")
    header["DATE-OBS"] = (when.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3], "UTC, start")
    header["FILTER"] = BAND
    header["EGAIN"] = (detector.gain_e_per_adu, "e-/ADU")
    header["RDNOISE"] = (detector.read_noise_e, "e-")
    header["SATURATE"] = (detector.saturation_adu, "ADU")
    header["CCD-TEMP"] = (-20.0, "C")
    header["XBINNING"] = 1
    header["YBINNING"] = 1
    header["XPIXSZ"] = (9.0, "micrometres")
    header["YPIXSZ"] = (9.0, "micrometres")
    header["FOCALLEN"] = (206.264806 * 9.0 / p.pixel_scale_arcsec, "mm")
    header["OBJECT"] = f"Synthetic field {p.seed}"
    header.update(_SITE)
    return header


def _file(data: NDArray[np.uint16], header: fits.Header) -> bytes:
    buffer = io.BytesIO()
    fits.PrimaryHDU(data, header=header).writeto(buffer)
    return buffer.getvalue()
