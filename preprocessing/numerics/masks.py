"""Which pixels not to believe, and why: named bits for defects, saturation, cosmic rays, dark corners and edges."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from observations.numerics.compiled import by_strips, compiled
from observations.numerics.frame import BAD_BITS, Image, Mask
from preprocessing.numerics.background import Background
from preprocessing.numerics.calibrate import Master
from preprocessing.numerics.lit import block_medians, full_light

Bits = NDArray[np.uint16]

# A hot pixel's dark current flickers by a few per cent: from ten times the light's noise on that is half a sigma.
HOT_SIGMA = 10.0
# The response of a pixel against its neighbours' below which dust or a defect leaves too little light to divide by.
LOWEST_LOCAL_RESPONSE = 0.7
# Saturation. Eight pixels at the ceiling are two small saturated cores; one bright star's top has fewer.
FEWEST_PILED_UP = 8
PILE_UP_EXCESS = 4.0
PILE_UP_WIDTHS = (0.01, 0.03, 0.06)
# Chips lose linearity just under the ceiling (the 2713 plateaus spread over 6 %).
CEILING_MARGIN = 0.97
LARGEST_GROWTH_PX = 8
# Cold pixels. Six sigma: one false pixel in 10^9 tries.
COLD_SIGMA = 6.0
# Columns and rows. The median difference of 48 pairs is good to 0.26 sigma; 1.3 on both sides is five of that.
RUN_PX, STEP_PX = 48, 24
SIDE_PX = 3
RUN_SIGMA = 1.3
CLIP_SIGMA = 5.0
# Of the runs of 48 px that begin every 24 px: a defect stays in its column, a slanted trail passes it in one or two.
BRIGHT_RUNS = 3
# From one pixel to the next a Gaussian of FWHM 2 px changes by 0.72 of its height at most, a defect's rim by all of it.
STEEPEST_LIGHT = 0.8
EDGE_ROWS = 12
EDGE_SIGMA = 0.6
# The rim of a vignette is too steep for the mesh: it stands off by more than half a sigma over 15 px, within 96 px.
RIM_BOX_PX = 15
RIM_SIGMA = 0.5
RIM_REACH_PX = 96
RIM_GROWTH_PX = 8  # half the box: where the box still straddles the rim
LIT_BLOCK_PX = 16
# Below this sky-to-noise ratio a fall-off of 40 % cannot be told from the sky's own structure.
LIT_SIGNAL = 10.0
# Rows that one thread takes at a time, a multiple of what is summed.
STRIP_PX = 5 * STEP_PX
ALL_NEIGHBOURS = np.ones((3, 3), dtype=bool)


@dataclass(frozen=True)
class Ceiling:
    """Saturation: `level` in the unit of the raw pixels, and whether the header or the histogram says so."""

    level: float
    source: str


def find_ceiling(raw: Image, *, header_level: float | None = None) -> Ceiling | None:
    """Return the level above which pixels are saturated, or None where nothing says so.

    A pile-up in the histogram of the brightest pixels counts before the header's claim, which may be in other units
    or for another read-out mode; a claim that no pixel reaches changes nothing.
    """
    piled = _pile_up(raw)
    if piled is not None and (header_level is None or piled < header_level):
        return Ceiling(piled, "histogram")
    if header_level is not None and np.isfinite(header_level) and header_level > 0:
        return Ceiling(CEILING_MARGIN * header_level, "header")
    return None


def _pile_up(raw: Image) -> float | None:
    finite = raw[np.isfinite(raw)]
    if finite.size < 100:
        return None
    top = float(finite.max())
    base = float(np.median(finite[:: max(1, finite.size // 50_000)]))
    if top <= base:
        return None
    bright = np.sort(finite[finite > base + 0.5 * (top - base)])
    # More than a thousandth of the frame at the top is a bright sky and not saturated stars, unless exactly equal.
    equal = bright.size - int(np.searchsorted(bright, top, "left"))
    if equal >= FEWEST_PILED_UP:
        return CEILING_MARGIN * top
    for width in PILE_UP_WIDTHS:
        here = _count(bright, top, base, 0.0, width)
        below = _count(bright, top, base, width, 3 * width)
        if here >= FEWEST_PILED_UP and here > PILE_UP_EXCESS * max(below / 2, 1.0):
            return CEILING_MARGIN * (base + (1 - width) * (top - base))
    return None


def _count(ordered: NDArray[np.float32], top: float, base: float, inner: float, outer: float) -> int:
    span = top - base
    upper = ordered.size if inner == 0.0 else int(np.searchsorted(ordered, top - inner * span))
    return upper - int(np.searchsorted(ordered, top - outer * span))


def saturated_pixels(raw: Image, ceiling: Ceiling, fwhm_px: float) -> Mask:
    """Mask saturated pixels with their bleeds, grown by about one FWHM: what spilled over is no longer a star's image.

    Single pixels above the ceiling are hot pixels or cosmic rays and are not grown.
    """
    high = raw >= ceiling.level
    if not high.any():
        return np.asarray(high)
    large = np.zeros(high.shape, dtype=bool)
    _mark_companied(high, large)
    return np.asarray(high | grow(large, int(np.clip(round(fwhm_px), 1, LARGEST_GROWTH_PX))))


def grow(mask: Mask, radius_px: int) -> Mask:
    """Widen a mask by a disc."""
    if radius_px < 1 or not mask.any():
        return mask
    wide = mask.copy()
    half_chord = np.sqrt(radius_px**2 - np.arange(-radius_px, radius_px + 1) ** 2).astype(np.int64)
    _stamp_discs(mask, half_chord, wide)
    return wide


@compiled
def _mark_companied(mask: Mask, companied: Mask) -> None:
    """Mark the pixels of a mask with another one among their eight neighbours."""
    ny, nx = mask.shape
    for y in range(ny):
        for x in range(nx):
            if mask[y, x]:
                around = mask[max(y - 1, 0) : min(y + 2, ny), max(x - 1, 0) : min(x + 2, nx)]
                companied[y, x] = np.count_nonzero(around) > 1


@compiled
def _stamp_discs(mask: Mask, half_chord: NDArray[np.int64], wide: Mask) -> None:
    """Set a disc around every pixel of a mask that has a neighbour outside it."""
    ny, nx = mask.shape
    radius = half_chord.size // 2
    for y in range(ny):
        for x in range(nx):
            if not mask[y, x]:
                continue
            is_inner = 0 < y < ny - 1 and 0 < x < nx - 1
            if is_inner and mask[y - 1, x] and mask[y + 1, x] and mask[y, x - 1] and mask[y, x + 1]:
                continue
            for row in range(max(y - radius, 0), min(y + radius + 1, ny)):
                half = half_chord[row - y + radius]
                wide[row, max(x - half, 0) : min(x + half + 1, nx)] = True


def detector_defects(
    dark: Master | None, flat: Master | None, noise: float, shape: tuple[int, int], *, is_mosaic: bool = False
) -> Mask:
    """Mask hot pixels of the dark and dead or shaded ones of the flat.

    noise : rms per pixel of the light, ADU. A sky flat is too smooth to show dead pixels; its NaN still count.
    """
    bad = np.zeros(shape, dtype=bool)
    if dark is not None:
        excess = dark.data - np.float32(dark.level)
        # What is not finite is not below, either.
        bad |= ~(np.abs(excess, out=excess) <= np.float32(HOT_SIGMA * noise))
    if flat is not None:
        bad |= ~np.isfinite(flat.data)
        # What of a lamp the pixels of a mosaic see differs: each is compared with those of its own colour.
        step = 2 if is_mosaic else 1
        for kind in (np.s_[row::step, column::step] for row in range(step) for column in range(step)):
            bad[kind] |= _is_shaded(flat.data[kind])
    return bad


def _is_shaded(response: Image) -> Mask:
    """Tell which pixels respond less than 0.7 of the median of every fourth pixel over 20 px around them."""
    sparse = np.nan_to_num(response[::4, ::4], nan=0.0)
    ny, nx = response.shape

    def spread(values: Image) -> Image:
        return values.repeat(4, 0).repeat(4, 1)[:ny, :nx]

    # No median is above the maximum: only where that leaves a doubt, nearly nowhere, is the median needed.
    shaded = response < spread(np.float32(LOWEST_LOCAL_RESPONSE) * ndimage.maximum_filter(sparse, 5))
    y, x = np.nonzero(shaded)
    if not y.size:
        return shaded
    around = np.lib.stride_tricks.sliding_window_view(np.pad(sparse, 2, mode="symmetric"), (5, 5))
    cells, cell = np.unique(y // 4 * sparse.shape[1] + x // 4, return_inverse=True)
    medians = np.median(around[np.unravel_index(cells, sparse.shape)], axis=(1, 2))
    shaded[y, x] = response[y, x] < LOWEST_LOCAL_RESPONSE * medians[cell]
    return shaded


def cold_pixels(residual: Image, noise: Image, bad: Mask) -> Mask:
    """Find single pixels far below the sky: dead ones, or a dark that took too much."""
    return (residual < -COLD_SIGMA * noise) & ~bad


def line_defects(residual: Image, noise: Image, bad: Mask) -> Mask:
    """Find runs of 48 px and more of a column or a row that stand off from the columns 3 px away on both sides.

    Bright runs count only where a column has three of them (96 px) and they are sharper than light of FWHM 2 px can
    be: a satellite's trail stands off too, but is as wide as the seeing, or leaves the column. Trails are for
    `trails.find_trails`, which masks their whole width, and which does not see what is bad already.

    Parameters
    ----------
    residual : (ny, nx) image less sky. noise : (ny, nx) rms per pixel. bad : True = known bad, takes no part.

    Returns
    -------
    (ny, nx) bool. Nothing is found within 3 px of the edge that a run is parallel to.
    """
    ny, nx = residual.shape
    columns, rows = (np.zeros(shape, dtype=np.float32) for shape in ((-(-ny // STEP_PX), nx), (ny, -(-nx // STEP_PX))))

    def add(start: int, stop: int) -> None:
        strip = np.s_[start:stop]
        _add_sums(residual[strip], noise[strip], bad[strip], columns[start // STEP_PX :], rows[strip])

    by_strips(add, ny, STRIP_PX)
    pull = _Pull(residual, noise, bad)
    return _column_runs(pull, columns) | _column_runs(pull.turned, rows.T).T


class _Pull(NamedTuple):
    """An image in sigma, worked out where it is looked at. bad : True = bad, NaN in sigma."""

    image: Image
    noise: Image
    bad: Mask

    @property
    def turned(self) -> _Pull:
        return _Pull(self.image.T, self.noise.T, self.bad.T)

    def at(self, rows: NDArray[np.int64], columns: NDArray[np.int64]) -> Image:
        value = self.image[rows, columns] / np.maximum(self.noise[rows, columns], np.float32(1e-30))
        return np.where(self.bad[rows, columns], np.float32(np.nan), value)


def _clipped(pull: Image) -> Image:
    clipped = np.clip(pull, -CLIP_SIGMA, CLIP_SIGMA)
    clipped[np.isnan(clipped)] = 0.0
    return clipped


@compiled
def _add_sums(image: Image, noise: Image, bad: Mask, columns: Image, rows: Image) -> None:
    """Add the image in sigma, clipped, to the sums of each 24 px of a column and of each 24 px of a row."""
    limit = np.float32(CLIP_SIGMA)
    for y in range(image.shape[0]):
        along = columns[y // STEP_PX]
        for x in range(image.shape[1]):
            value = min(max(image[y, x] / max(noise[y, x], np.float32(1e-30)), -limit), limit)
            value = np.float32(0) if bad[y, x] else value
            along[x] += value
            rows[y, x // STEP_PX] += value


def _column_runs(pull: _Pull, sums: Image) -> Mask:
    """Find the runs of columns; sums : of each 24 px of them, clipped."""
    ny, nx = pull.image.shape
    found = np.zeros((ny, nx), dtype=bool)
    if ny < RUN_PX or nx <= 2 * SIDE_PX:
        return found
    starts = np.unique(np.append(np.arange(0, ny - RUN_PX, STEP_PX), ny - RUN_PX))
    last = _clipped(pull.at(np.arange(ny - RUN_PX, ny)[:, None], np.arange(nx))).sum(axis=0)
    means = np.vstack([sums[: starts.size - 1] + sums[1 : starts.size], last]) / np.float32(RUN_PX)
    # The mean of clipped differences picks the few columns that deserve the slower median.
    steps = np.abs(means[:, SIDE_PX:-SIDE_PX] - means[:, : -2 * SIDE_PX])
    run, column = np.nonzero(steps > 0.7 * RUN_SIGMA)
    column += SIDE_PX
    rows = starts[run][:, None] + np.arange(RUN_PX)
    left, here, right = (_clipped(pull.at(rows, column[:, None] + d)) for d in (-SIDE_PX, 0, SIDE_PX))
    # Differences are taken row by row before the median: a star is on a few rows of the run only, and a
    # gradient has opposite signs on the two sides.
    sides = np.stack([np.median(here - left, axis=1), np.median(here - right, axis=1)])
    dark, above = sides.max(axis=0) < -RUN_SIGMA, np.flatnonzero(sides.min(axis=0) > RUN_SIGMA)
    found[rows[dark], column[dark][:, None]] = True
    around = column[above][:, None] + np.arange(-SIDE_PX, SIDE_PX + 1)
    sharp = above[_is_sharp(pull.at(rows[above][:, None, :], around[:, :, None]))]
    bright = np.zeros((starts.size, nx), dtype=bool)
    bright[run[sharp], column[sharp]] = True
    bright &= bright.sum(axis=0) >= BRIGHT_RUNS
    run, column = np.nonzero(bright)
    found[starts[run][:, None] + np.arange(RUN_PX), column[:, None]] = True
    return found


def _is_sharp(profiles: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Return for which columns the median profile over 3 px to both sides has a step that is too steep for light.

    profiles : (n, 7, 48) in sigma and not clipped, or a bright trail would be a box; NaN where bad.
    """
    profile = block_medians(profiles)
    height = np.fmax.reduce(profile, axis=1) - np.fmin(profile[:, 0], profile[:, -1])
    return np.asarray(np.fmax.reduce(np.abs(np.diff(profile, axis=1)), axis=1) > STEEPEST_LIGHT * height)


def edge_defects(residual: Image, noise: Image, bad: Mask) -> Mask:
    """Find outer rows and columns whose level or scatter differs from the image inside them."""
    found = np.zeros(residual.shape, dtype=bool)
    for turn in (lambda a: a, lambda a: a[::-1], lambda a: a.T, lambda a: a.T[::-1]):
        light, sigma, unknown = (turn(image)[: 2 * EDGE_ROWS] for image in (residual, noise, bad))
        target = turn(found)
        if len(target) < 4 * EDGE_ROWS:
            continue
        rows = np.where(unknown, np.float32(0), np.clip(light / np.maximum(sigma, 1e-30), -10, 10))
        level = np.median(rows, axis=1)
        inside = np.median(level[EDGE_ROWS:])
        off = np.abs(level[:EDGE_ROWS] - inside) > EDGE_SIGMA
        off |= np.percentile(rows[:EDGE_ROWS], 2, axis=1) < np.percentile(rows[EDGE_ROWS:], 2) - 1.0
        if off.any():
            target[: int(np.flatnonzero(off).max()) + 1] = True
    return found


def unilluminated(data: Image, bad: Mask, sky: Background, *, falloff: float) -> Mask:
    """Mask what gets less than 1 - `falloff` of the sky's full light: vignetted corners, baffles.

    The sky's full light is what most of the frame shows (see `lit.full_light`): a galaxy, a nebula or the Moon's side
    of the sky are brighter than that, and the rest is not dark beside them. Data with the electronic zero point
    still in them understate the fall-off. Frames whose sky is below ten times the noise show nothing and are left.
    Below three fifths of the light depth and flux scale differ too much from the rest of the frame.
    """
    ny, nx = (n // LIT_BLOCK_PX for n in data.shape)
    lit = np.zeros(data.shape, dtype=bool)
    if min(ny, nx) < 4:
        return lit
    # Every other row tells enough.
    some = np.s_[: ny * LIT_BLOCK_PX : 2, : nx * LIT_BLOCK_PX]
    values = np.where(bad[some], np.float32(np.nan), data[some])
    blocks = values.reshape(ny, LIT_BLOCK_PX // 2, nx, LIT_BLOCK_PX).swapaxes(1, 2).reshape(ny, nx, -1)
    medians = block_medians(blocks)
    full = full_light(medians)
    if full is None or float(np.median(full)) < LIT_SIGNAL * sky.median_noise:
        return lit
    dim = np.where(np.isfinite(medians), medians, full) < (1 - falloff) * full
    labels, _ = ndimage.label(dim, ALL_NEIGHBOURS)
    # A lone dark block is a defect or a dust ring; vignetting reaches the rim.
    rim = np.unique(np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]]))
    dim &= np.isin(labels, rim[rim > 0])
    # The block that the limit runs through is dim in part: pixels decide there, on a small median.
    wide = ndimage.binary_dilation(dim, ALL_NEIGHBOURS)
    rows = np.minimum(np.arange(data.shape[0]) // LIT_BLOCK_PX, ny - 1)
    columns = np.minimum(np.arange(data.shape[1]) // LIT_BLOCK_PX, nx - 1)
    near = wide[rows][:, columns]
    if near.any():
        light = full[rows][:, columns]
        smooth = ndimage.uniform_filter(np.where(bad, light, data), 7)
        lit = near & (dim[rows][:, columns] | (smooth < (1 - falloff) * light))
        lit = ndimage.binary_dilation(lit, iterations=4)
    return np.asarray(lit)


def vignette_rim(residual: Image, noise: Image, dark: Mask) -> Mask:
    """Mask the steep rim of unilluminated areas, where the background mesh does not follow the light.

    residual : (ny, nx) image less sky, the sky estimated without `dark`. Only what is connected to the dark area
    within 96 px of it counts; stars there are caught with it.
    """
    usable = np.where(dark, np.float32(0), residual) / np.maximum(noise, 1e-30)
    smooth = ndimage.uniform_filter(np.clip(usable, -5, 5).astype(np.float32), RIM_BOX_PX)
    near = ndimage.distance_transform_edt(~dark) <= RIM_REACH_PX
    off = (np.abs(smooth) > RIM_SIGMA) & near
    labels, _ = ndimage.label(off | dark, ALL_NEIGHBOURS)
    touching = np.unique(labels[dark])
    rim = grow(np.isin(labels, touching[touching > 0]), RIM_GROWTH_PX)
    return np.asarray(ndimage.binary_fill_holes(rim) & ~dark)


def is_bad(bits: Bits) -> Mask:
    """Return the boolean mask of a bit mask; interpolated pixels are usable."""
    return np.asarray((bits & np.uint16(BAD_BITS)) != 0)
