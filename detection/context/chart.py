"""Finding charts: the frame about a detection with north up and east to the left, for who points a telescope at it."""

from __future__ import annotations

import io
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image as PictureFile
from PIL import ImageDraw, ImageFont

from catalog.writing import sexagesimal_dec, sexagesimal_ra, utc
from detection.context.near import Near, neighbours_of
from detection.context.wide import Window, window_of
from detection.cutouts.overlay import local_wcs
from detection.models import ContextKind, Detection
from differencing.numerics import display
from observations.numerics.site import time_of
from observations.numerics.sphere import project

Matrix = NDArray[np.float64]

FORMATS = {"png": "image/png", "pdf": "application/pdf"}
SIDE_ARCSEC = 180.0
# Dots of the page and of the map in it; two hundred to the inch make a map of five inches.
_PAGE, _MAP, _LEFT, _TOP = (1240, 1560), 1000, 120, 190
_DOTS_PER_INCH = 200.0
# A square that is turned by 45° is so much wider.
_DIAGONAL = 1.42
_MARKED = 8
_INK, _PAPER, _GREY = 0, 255, 110
_QUALITY = 95


@dataclass(frozen=True)
class _Star:
    """A star on the chart: its letter, and where it lies from the detection, arcseconds."""

    letter: str
    near: Near
    east: float
    north: float


def chart_of(detection: Detection, form: str) -> bytes | None:
    """Return the chart as PNG or PDF; None where there are no pixels to make it from."""
    window = window_of(detection, _DIAGONAL * SIDE_ARCSEC)
    if window is None:
        return None
    matrix = _matrix(detection)
    page = PictureFile.new("L", _PAGE, _PAPER)
    page.paste(_map(window, matrix), (_LEFT, _TOP))
    draw = ImageDraw.Draw(page)
    stars = _stars(detection) if local_wcs(detection) is not None else []
    _draw_frame(draw, has_north=local_wcs(detection) is not None)
    _draw_stars(draw, stars)
    _draw_head(draw, detection)
    _draw_table(draw, stars)
    buffer = io.BytesIO()
    if form == "pdf":
        # As a JPEG in it: of this quality no letter has a halo.
        page.save(buffer, format="pdf", resolution=_DOTS_PER_INCH, quality=_QUALITY, title=_title(detection))
    else:
        page.save(buffer, format="png", dpi=(_DOTS_PER_INCH, _DOTS_PER_INCH))
    return buffer.getvalue()


def file_name(detection: Detection, form: str) -> str:
    """Return what the chart is called where it is kept."""
    place = f"{sexagesimal_ra(detection.ra)}{sexagesimal_dec(detection.dec)}".replace(":", "").replace("−", "-")
    return f"finding-chart-{place}.{form}"


def _matrix(detection: Detection) -> Matrix:
    """Return degrees to the east and the north for a pixel to the right and one up; by the scale alone if need be."""
    wcs = local_wcs(detection)
    if wcs is None:
        scale = (detection.observation.pixel_scale or 1.0) / 3600.0
        return np.array([[-scale, 0.0], [0.0, scale]])
    return np.array([[wcs["CD1_1"], wcs["CD1_2"]], [wcs["CD2_1"], wcs["CD2_2"]]])


def _map(window: Window, matrix: Matrix) -> PictureFile.Image:
    """Return the map: black stars on white, drawn with north up by turning the pixels."""
    codes, _ = display.shared_codes((window.science, window.mask), (window.reference, window.mask))
    # The masked are shown as the others are; what has no data is paper.
    greys = np.array(display.palette(), dtype=np.float64).reshape(-1, 3).mean(axis=1)
    greys[display.GREYS : display.NO_DATA_CODE] = np.linspace(0, 255, display.TINTS)
    greys[display.NO_DATA_CODE] = 0.0
    shown = greys[codes]
    # What is no brighter than the sky is white, so that a print is of stars and not of noise.
    sky = float(np.median(shown[codes != display.NO_DATA_CODE])) if (codes != display.NO_DATA_CODE).any() else 0.0
    ink = np.clip((shown - sky) / max(255.0 - sky, 1.0), 0.0, 1.0)
    image = PictureFile.fromarray(np.rint(255.0 * (1.0 - ink)).astype(np.uint8), mode="L")
    per_dot = SIDE_ARCSEC / _MAP / 3600.0
    # A dot to the right is to the west, one down to the south; a row of the picture down is a pixel down.
    across, down = (np.linalg.solve(matrix, step) for step in ([-per_dot, 0.0], [0.0, -per_dot]))
    middle_x, middle_y = window.x + 0.5, window.mask.shape[0] - 0.5 - window.y
    half = _MAP / 2.0
    turn = (
        across[0], down[0], middle_x - half * (across[0] + down[0]),
        -across[1], -down[1], middle_y + half * (across[1] + down[1]),
    )  # fmt: skip
    size, kind = (_MAP, _MAP), PictureFile.Transform.AFFINE
    return image.transform(size, kind, turn, resample=PictureFile.Resampling.BILINEAR, fillcolor=_PAPER)


def _stars(detection: Detection) -> list[_Star]:
    """Return the brightest catalogue stars on the chart, of which one hops from one to the other."""
    near = neighbours_of(detection, within_arcsec=SIDE_ARCSEC * _DIAGONAL / 2.0).near.get(ContextKind.STAR, ())
    placed = [(one, *_offset(detection, one)) for one in near if one.mag is not None]
    half = SIDE_ARCSEC / 2.0
    # A star at the place itself is what is pointed at.
    inside = [row for row in placed if max(abs(row[1]), abs(row[2])) < 0.95 * half and row[0].separation_arcsec > 3.0]
    brightest = sorted(inside, key=lambda row: row[0].mag if row[0].mag is not None else 99.0)[:_MARKED]
    return [_Star("ABCDEFGH"[index], *row) for index, row in enumerate(brightest)]


def _offset(detection: Detection, one: Near) -> tuple[float, float]:
    east, north = project(np.array([one.ra]), np.array([one.dec]), detection.ra, detection.dec)
    return 3600.0 * float(east[0]), 3600.0 * float(north[0])


def _draw_frame(draw: ImageDraw.ImageDraw, *, has_north: bool) -> None:
    """Draw the border, the open cross at the place, the bar of one arcminute and the compass."""
    right, bottom = _LEFT + _MAP, _TOP + _MAP
    draw.rectangle((_LEFT, _TOP, right, bottom), outline=_INK, width=2)
    x, y = _LEFT + _MAP / 2, _TOP + _MAP / 2
    for way in (-1, 1):
        draw.line((x + way * 22, y, x + way * 62, y), fill=_INK, width=3)
        draw.line((x, y + way * 22, x, y + way * 62), fill=_INK, width=3)
    length = 60.0 / SIDE_ARCSEC * _MAP
    draw.line((right - 170 - length, _TOP - 16, right - 170, _TOP - 16), fill=_INK, width=4)
    draw.text((right - 170 - length / 2, _TOP - 36), "1′", fill=_INK, font=_font(22), anchor="mm")
    if not has_north:
        text = "North is not known: the position is from pointing and optics only"
        draw.text((_LEFT, bottom + 10), text, fill=_INK, font=_font(20))
        return
    corner, tip = (right - 20, _TOP - 30), 70
    draw.line((*corner, corner[0], corner[1] - tip), fill=_INK, width=3)
    draw.line((*corner, corner[0] - tip, corner[1]), fill=_INK, width=3)
    draw.text((corner[0], corner[1] - tip - 16), "N", fill=_INK, font=_font(24), anchor="mm")
    draw.text((corner[0] - tip - 16, corner[1]), "E", fill=_INK, font=_font(24), anchor="mm")


def _draw_stars(draw: ImageDraw.ImageDraw, stars: list[_Star]) -> None:
    for star in stars:
        x = _LEFT + _MAP / 2 - star.east / SIDE_ARCSEC * _MAP
        y = _TOP + _MAP / 2 - star.north / SIDE_ARCSEC * _MAP
        draw.ellipse((x - 16, y - 16, x + 16, y + 16), outline=_INK, width=2)
        place, font = (x + 22, y - 22), _font(24)
        draw.text(place, star.letter, fill=_INK, font=font, anchor="mm", stroke_width=3, stroke_fill=_PAPER)


def _draw_head(draw: ImageDraw.ImageDraw, detection: Detection) -> None:
    frame = detection.observation
    draw.text((_LEFT, 30), _title(detection), fill=_INK, font=_font(34))
    where = f"{detection.ra:.6f} {detection.dec:+.6f}".replace("-", "−") + "  (ICRS, degrees)"
    draw.text((_LEFT, 82), where, fill=_INK, font=_font(26))
    long = [] if frame.exposure_time is None else [f"{frame.exposure_time:g} s"]
    when = ", ".join([f"{utc(time_of(frame.mjd_utc))} UTC", frame.filter_band, *long, frame.shown_name])
    draw.text((_LEFT, 122), when[:90], fill=_INK, font=_font(22))
    draw.text((_LEFT, 154), f"{SIDE_ARCSEC / 60.0:g}′ × {SIDE_ARCSEC / 60.0:g}′", fill=_GREY, font=_font(20))


def _draw_table(draw: ImageDraw.ImageDraw, stars: list[_Star]) -> None:
    """Tell of each marked star where it is, and how to go from it to the place."""
    top = _TOP + _MAP + 44
    if not stars:
        draw.text((_LEFT, top), "No catalogue star is known on this chart.", fill=_GREY, font=_font(20))
        return
    columns = (_LEFT, _LEFT + 60, _LEFT + 260, _LEFT + 460, _LEFT + 640)
    for column, text in zip(columns, ("", "RA (ICRS)", "Dec", "Magnitude", "From the star to the place"), strict=True):
        draw.text((column, top), text, fill=_GREY, font=_font(20))
    for line, star in enumerate(stars, start=1):
        near = star.near
        magnitude = f"{near.band} = {near.mag:.1f}" if near.band else f"{near.mag:.1f}"
        across, along = "W" if star.east > 0 else "E", "S" if star.north > 0 else "N"
        steps = f"{abs(star.east):.1f}″ {across}, {abs(star.north):.1f}″ {along}"
        texts = (star.letter, sexagesimal_ra(near.ra), sexagesimal_dec(near.dec), magnitude, steps)
        for column, text in zip(columns, texts, strict=True):
            draw.text((column, top + 32 * line), text, fill=_INK, font=_font(20))


def _title(detection: Detection) -> str:
    return f"{sexagesimal_ra(detection.ra)} {sexagesimal_dec(detection.dec)}"


@lru_cache(maxsize=8)
def _font(size: int) -> ImageFont.FreeTypeFont:
    """Return the font that comes with matplotlib, which is not loaded for it: Pillow's own lacks ″ and −."""
    found = find_spec("matplotlib")
    if found is None or found.origin is None:
        raise RuntimeError("matplotlib, whose font the charts are written in, is not installed")
    path = Path(found.origin).parent / "mpl-data" / "fonts" / "ttf" / "DejaVuSans.ttf"
    return ImageFont.truetype(str(path), size)
