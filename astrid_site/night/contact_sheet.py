"""Cutouts of detections on one page: science, reference and difference side by side, as astronomers expect them.

Pixels stay pixels: each is drawn as a square of 3 × 3 dots, turned by quarter turns and flips only.
"""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from matplotlib import font_manager
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from numpy.typing import NDArray

from detection.numerics.display import painted
from detection.numerics.orientation import Turn

Image = NDArray[np.float32]
Colours = NDArray[np.uint8]

DOTS_PER_PIXEL = 3
PANELS = ("science", "reference", "difference")

BACKGROUND, TEXT, DIM_TEXT, WARNING = "#0c0d10", "#d5d9e0", "#8b93a1", "#ff7a66"
MARK = "#ffd23f"
# Marks and words stay legible on a bright star.
OUTLINE = [withStroke(linewidth=2.5, foreground=BACKGROUND)]
TEXT_BOX = {"facecolor": BACKGROUND, "linewidth": 0, "pad": 1.5}

# Lengths in dots.
GAP, GUTTER, MARGIN, HEAD, FOOT, CAPTION = 4, 30, 30, 92, 60, 40
# So that title and legend have room above and below a single cell.
LEAST_WIDTH = 800

LEGEND = (
    "North up, east left to the nearest quarter turn: the compass shows the rest.   Pink: masked.   Violet: no data.",
    "Science and reference: one asinh grey scale.   Difference: linear, zero is mid-grey, white and black are ±5σ.",
)


@dataclass(frozen=True)
class Cell:
    """One detection: (4, n, n) science, reference, difference and mask, FITS order (first row at the bottom).

    x, y : 0-based position in the cutout. turn : without `north_deg` the position is nominal and no compass is drawn.
    captions : two lines. warning : what must not be overlooked, written into the difference. name : the truth, if
    known. scale_arcsec : per pixel, None where unknown.
    """

    cutouts: Image
    x: float
    y: float
    turn: Turn
    captions: tuple[str, str]
    warning: str = ""
    name: str = ""
    scale_arcsec: float | None = None


def turned(image: Colours, turn: Turn) -> Colours:
    """Return an image (first row at the bottom) flipped and turned."""
    return np.rot90(image[:, ::-1] if turn.is_flipped else image, turn.quarter_turns)


def turned_position(x: float, y: float, size: int, turn: Turn) -> tuple[float, float]:
    """Return where a position of a square image of `size` px comes to lie."""
    if turn.is_flipped:
        x = size - 1 - x
    for _ in range(turn.quarter_turns):
        x, y = y, size - 1 - x
    return x, y


def turned_panels(cell: Cell) -> list[Colours]:
    """Return science, reference and difference as (n, n, 3) colours, turned, first row at the bottom."""
    return [turned(image, cell.turn) for image in painted(cell.cutouts)]


def draw(cells: Sequence[Cell], title: str, subtitle: str, columns: int = 3) -> bytes:
    """Return a PNG with the cells in rows of `columns`, in reading order."""
    size = cells[0].cutouts.shape[-1] * DOTS_PER_PIXEL
    columns = min(columns, len(cells))
    rows = math.ceil(len(cells) / columns)
    cell_width, cell_height = 3 * size + 2 * GAP, CAPTION + size
    width = max(2 * MARGIN + columns * cell_width + (columns - 1) * GUTTER, LEAST_WIDTH)
    height = HEAD + rows * cell_height + (rows - 1) * GUTTER + FOOT
    page = _Page(width, height)
    page.write(MARGIN, 34, title, size=14, color=TEXT)
    page.write(MARGIN, 56, subtitle, size=9, color=DIM_TEXT)
    for k, cell in enumerate(cells):
        left = MARGIN + (k % columns) * (cell_width + GUTTER)
        top = HEAD + (k // columns) * (cell_height + GUTTER)
        if k < columns:
            for panel, word in enumerate(PANELS):
                page.write(left + panel * (size + GAP), top - 10, word, size=8, color=DIM_TEXT)
        _draw_cell(page, cell, left, top)
    for k, line in enumerate(LEGEND):
        page.write(MARGIN, height - 32 + 16 * k, line, size=8, color=DIM_TEXT)
    return page.png()


class _Page:
    """A page addressed in dots from its upper left corner; pixels go into it as they are, without resampling."""

    def __init__(self, width: int, height: int) -> None:
        self.dots = np.full((height, width, 3), np.rint(255 * np.array(to_rgb(BACKGROUND))), dtype=np.uint8)
        self.figure = Figure(figsize=(width / 100, height / 100), dpi=100)
        FigureCanvasAgg(self.figure)
        self.axes = self.figure.add_axes((0, 0, 1, 1), xlim=(0, width), ylim=(height, 0))
        self.axes.set_axis_off()

    def write(self, x: float, y: float, text: str, **style: Any) -> None:
        """Write text on the baseline y."""
        self.axes.text(x, y, drawable(text), parse_math=False, **{"va": "baseline", **style})

    def line(self, start: tuple[float, float], end: tuple[float, float], **style: Any) -> None:
        self.axes.plot([start[0], end[0]], [start[1], end[1]], solid_capstyle="butt", **style)

    def png(self) -> bytes:
        self.figure.figimage(self.dots, origin="upper", zorder=-1)  # below lines and words
        buffer = io.BytesIO()
        self.figure.savefig(buffer, format="png")
        return buffer.getvalue()


@dataclass(frozen=True)
class _Panel:
    """One image on the page, its upper left corner at (left, top); places in it are in its pixels, y up."""

    page: _Page
    left: int
    top: int
    colours: Colours

    def paste(self) -> None:
        dots = np.repeat(np.repeat(self.colours[::-1], DOTS_PER_PIXEL, axis=0), DOTS_PER_PIXEL, axis=1)
        self.page.dots[self.top : self.top + dots.shape[0], self.left : self.left + dots.shape[1]] = dots

    def place(self, x: float, y: float) -> tuple[float, float]:
        n = self.colours.shape[0]
        return self.left + (x + 0.5) * DOTS_PER_PIXEL, self.top + (n - y - 0.5) * DOTS_PER_PIXEL

    def line(self, start: tuple[float, float], end: tuple[float, float], **style: object) -> None:
        self.page.line(self.place(*start), self.place(*end), **style)

    def write(self, x: float, y: float, text: str, **style: Any) -> None:
        self.page.write(*self.place(x, y), text, **style)


def _draw_cell(page: _Page, cell: Cell, left: int, top: int) -> None:
    """Write the captions and show the three panels with crosshair, compass and scale bar."""
    n = cell.cutouts.shape[-1]
    side = n * DOTS_PER_PIXEL
    page.write(left, top + 13, cell.captions[0], size=9, color=TEXT)
    page.write(left, top + 31, cell.captions[1], size=8, color=DIM_TEXT)
    page.write(left + 3 * side + 2 * GAP, top + 31, cell.name, size=8, color=MARK, ha="right")
    x, y = turned_position(cell.x, cell.y, n, cell.turn)
    panels = [
        _Panel(page, left + k * (side + GAP), top + CAPTION, image) for k, image in enumerate(turned_panels(cell))
    ]
    for panel in panels:
        panel.paste()
        for dx, dy in ((1, 0), (-1, 0), (0, 1), (0, -1)):
            panel.line((x + 6 * dx, y + 6 * dy), (x + 11 * dx, y + 11 * dy), color=MARK, linewidth=1.0)
    if cell.scale_arcsec:
        _draw_scale(panels[0], cell.scale_arcsec)
    if cell.turn.north_deg is not None:
        _draw_compass(panels[0], cell.turn.north_deg)
    if cell.warning:
        panels[2].write(2, 2, cell.warning, size=8, color=WARNING, va="bottom", bbox=TEXT_BOX)


def _draw_scale(panel: _Panel, scale_arcsec: float) -> None:
    """Draw a bar of a round number of arcseconds, at most a third of the width."""
    length_arcsec = round_length(scale_arcsec * panel.colours.shape[0] / 3)
    panel.line((3, 3), (3 + length_arcsec / scale_arcsec, 3), color=TEXT, linewidth=2.0, path_effects=OUTLINE)
    panel.write(3, 6, f"{length_arcsec:g}″", size=8, color=TEXT, va="bottom", bbox=TEXT_BOX)


def round_length(longest: float) -> float:
    """Return the largest of 1, 2, 5 × 10^k that is not above `longest`."""
    decade = 10.0 ** math.floor(math.log10(longest))
    return max(step * decade for step in (1, 2, 5) if step * decade <= longest * (1 + 1e-9))


def _draw_compass(panel: _Panel, north_deg: float) -> None:
    """Draw the directions north and east in the upper right corner."""
    n = panel.colours.shape[0]
    x, y = n - 6.0, n - 18.0
    for name, angle_deg in (("N", north_deg), ("E", north_deg + 90)):
        dx, dy = -math.sin(math.radians(angle_deg)), math.cos(math.radians(angle_deg))
        panel.line((x, y), (x + 7 * dx, y + 7 * dy), color=TEXT, linewidth=1.2, path_effects=OUTLINE)
        style = {"size": 8, "weight": "bold", "ha": "center", "va": "center", "bbox": TEXT_BOX}
        panel.write(x + 10.5 * dx, y + 10.5 * dy, name, color=TEXT, **style)


def drawable(text: str) -> str:
    """Return the text with what the font cannot draw as question marks."""
    return "".join(character if _has_glyph(character) else "?" for character in text)


@lru_cache(maxsize=4096)
def _has_glyph(character: str) -> bool:
    return bool(font_manager.get_font(font_manager.findfont("DejaVu Sans")).get_char_index(ord(character)))
