"""Which pixels not to believe, and why: named bits for defects, saturation, cosmic rays, dark corners and edges."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from observations.numerics.frame import BAD_BITS, Image, Mask, MaskBit
from observations.numerics.statistics import FWHM_PER_SIGMA
from preprocessing.numerics.background import Background
from preprocessing.numerics.calibrate import Master

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
# Cosmic rays.
COSMIC_EDGE_SIGMA = 4.0
# Real cores are allowed to be sharper than the mean PSF says: by this factor in neighbour-to-peak ratio...
SHARPNESS_MARGIN = 0.65
# ...and pairs at a distance help only where a star must reach that far: on hatp32 (FWHM 2.0 px) diagonal pairs at a
# bound of 0.19 ate one clean star in ten, whose diagonal neighbours lie at 0.16.
LOWEST_USEFUL_RATIO = 0.25
COSMIC_ROUNDS = 3
DIRECTIONS = ((0, 1), (1, 0), (1, 1), (1, -1))
# Columns and rows. The median difference of 48 pairs is good to 0.26 sigma; 1.3 on both sides is five of that.
RUN_PX = 48
RUN_SIGMA = 1.3
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
LARGEST_INTERPOLATED_PX = 3
INTERPOLATED_INFLATION = 4.0
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
    labels, count = ndimage.label(high, ALL_NEIGHBOURS)
    size = np.bincount(labels.ravel(), minlength=count + 1)
    large = (size > 1)[labels] & high
    reach = int(np.clip(round(fwhm_px), 1, LARGEST_GROWTH_PX))
    return np.asarray(high | grow(large, reach))


def grow(mask: Mask, radius_px: int) -> Mask:
    """Widen a mask by a disc."""
    if not mask.any() or radius_px < 1:
        return mask
    return np.asarray(ndimage.distance_transform_edt(~mask) <= radius_px)


def detector_defects(dark: Master | None, flat: Master | None, noise: float, shape: tuple[int, int]) -> Mask:
    """Mask hot pixels of the dark and dead or shaded ones of the flat.

    noise : rms per pixel of the light, ADU. A sky flat is too smooth to show dead pixels; its NaN still count.
    """
    bad = np.zeros(shape, dtype=bool)
    if dark is not None:
        excess = dark.data - np.float32(dark.level)
        bad |= ~np.isfinite(dark.data) | (np.abs(excess) > HOT_SIGMA * noise)
    if flat is not None:
        local = ndimage.median_filter(np.nan_to_num(flat.data[::4, ::4], nan=0.0), 5).repeat(4, 0).repeat(4, 1)
        local = local[: shape[0], : shape[1]]
        bad |= ~np.isfinite(flat.data) | (flat.data < LOWEST_LOCAL_RESPONSE * local)
    return bad


def cosmic_rays(residual: Image, noise: Image, bad: Mask, fwhm_px: float, *, sigma: float) -> Mask:
    """Find pixels that are sharper than any star can be: cosmic rays and unlisted hot pixels.

    For a Gaussian of width s, the mean of the two pixels at distance d on opposite sides of any pixel is at least
    exp(-d² / 2 s²) of that pixel, wherever the star's centre lies; a real PSF has wider wings and stays above. A pixel
    whose pair falls short of that bound, by a margin for PSF variation and 6 sigma of noise, in any of four directions
    is no star. Found pixels are replaced and the search repeated, so that tracks and small blobs are eaten from their
    rims; then neighbours with a weaker sign are added.

    Parameters
    ----------
    residual : (ny, nx) image less sky. noise : (ny, nx) rms per pixel. bad : True = known bad, takes no part.
    fwhm_px : seeing, of the sharpest stars. Below about 1.7 px a star cannot be told from a hot pixel, and nothing is
        flagged.

    Returns
    -------
    (ny, nx) bool.

    Notes
    -----
    In the spirit of van Dokkum 2001 (PASP 113, 1420), with the PSF's own bound in place of the fine-structure image:
    on undersampled frames (FWHM 2 px) the latter eats cores.
    """
    squared = np.array([1.0, 2.0, 4.0])  # distances of the pairs: along, across, two pixels along
    ratios = [float(r) for r in SHARPNESS_MARGIN * np.exp(-0.5 * squared * (FWHM_PER_SIGMA / fwhm_px) ** 2)]
    found = np.zeros(residual.shape, dtype=bool)
    # A pair with an unknown member says nothing: comparisons with NaN are false.
    image = np.where(bad, np.float32(np.nan), residual).astype(np.float32)
    for _ in range(COSMIC_ROUNDS):
        candidates = (image > sigma * noise) & ~bad & ~found
        candidates &= _too_sharp(image, noise, candidates, ratios, sigma)
        if not candidates.any():
            break
        found |= candidates
        image = _patched(image, found | bad, candidates)
    rim = ndimage.binary_dilation(found, ALL_NEIGHBOURS) & ~found & ~bad & (image > COSMIC_EDGE_SIGMA * noise)
    return found | (rim & _too_sharp(image, noise, rim, ratios, COSMIC_EDGE_SIGMA / 2))


def _too_sharp(image: Image, noise: Image, where: Mask, ratios: list[float], sigma: float) -> Mask:
    """Return which of the pixels in `where` exceed the star bound in at least one direction."""
    rows, columns = np.nonzero(where)
    padded = np.pad(image, 2, mode="edge")
    value, rms = image[rows, columns], noise[rows, columns]
    sharp = np.zeros(rows.size, dtype=bool)
    for dy, dx in DIRECTIONS:
        for step in (1, 2) if dy * dx == 0 else (1,):
            ratio = ratios[2] if step == 2 else ratios[1] if dy * dx else ratios[0]
            if ratio < LOWEST_USEFUL_RATIO:
                continue
            one = padded[rows + 2 + step * dy, columns + 2 + step * dx]
            other = padded[rows + 2 - step * dy, columns + 2 - step * dx]
            lack = ratio * value - 0.5 * (one + other)
            sharp |= lack > sigma * rms * np.float32(np.sqrt(ratio**2 + 0.5))
    result = np.zeros(image.shape, dtype=bool)
    result[rows[sharp], columns[sharp]] = True
    return result


def _patched(image: Image, holes: Mask, now: Mask) -> Image:
    """Return the image with the pixels of `now` replaced by the median of their good neighbours."""
    rows, columns = np.nonzero(now)
    windows = _windows(np.where(holes, np.float32(np.nan), image), rows, columns)
    patched = image.copy()
    ordered = np.sort(windows, axis=1)  # NaN last
    count = np.isfinite(windows).sum(axis=1)
    middle = ordered[np.arange(rows.size), np.maximum(count - 1, 0) // 2]
    patched[rows, columns] = np.where(count > 0, middle, np.nan)
    return patched


def _windows(image: Image, rows: NDArray[np.intp], columns: NDArray[np.intp]) -> NDArray[np.float32]:
    """Return the 5 x 5 surroundings of pixels as (n, 25), NaN beyond the edge."""
    padded = np.pad(image, 2, constant_values=np.nan)
    return np.lib.stride_tricks.sliding_window_view(padded, (5, 5))[rows, columns].reshape(rows.size, 25)


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
    pull = np.where(bad, np.float32(np.nan), residual / np.maximum(noise, 1e-30)).astype(np.float32)
    return _column_runs(pull) | _column_runs(np.ascontiguousarray(pull.T)).T


def _column_runs(pull: NDArray[np.float32]) -> Mask:
    ny, nx = pull.shape
    found = np.zeros((ny, nx), dtype=bool)
    if ny < RUN_PX or nx < 8:
        return found
    clipped = np.nan_to_num(np.clip(pull, -5, 5), copy=False)
    # Differences are taken row by row before the median: a star is on a few rows of the run only, and a
    # gradient has opposite signs on the two sides.
    step = clipped[:, 3:] - clipped[:, :-3]
    starts = np.unique(np.append(np.arange(0, ny - RUN_PX, RUN_PX // 2), ny - RUN_PX))
    bright = np.zeros((starts.size, nx), dtype=bool)
    for k, start in enumerate(starts):
        rows = np.s_[start : start + RUN_PX]
        # The mean of clipped differences picks the few columns that deserve the slower median.
        likely = 3 + np.flatnonzero(np.abs(step[rows, :-3].mean(axis=0)) > 0.7 * RUN_SIGMA)
        if likely.size == 0:
            continue
        sides = np.stack([np.median(step[rows][:, likely - 3], axis=0), -np.median(step[rows][:, likely], axis=0)])
        found[rows, likely[sides.max(axis=0) < -RUN_SIGMA]] = True
        above = likely[sides.min(axis=0) > RUN_SIGMA]
        bright[k, above[_is_sharp(pull[rows], above)]] = True
    bright &= bright.sum(axis=0) >= BRIGHT_RUNS
    for k, column in zip(*np.nonzero(bright), strict=True):
        found[starts[k] : starts[k] + RUN_PX, column] = True
    return found


def _is_sharp(run: NDArray[np.float32], columns: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Return for which columns the median profile over 3 px to both sides has a step that is too steep for light.

    run : (48, nx) in sigma and not clipped, or a bright trail would be a box; NaN where bad.
    """
    profile = _block_medians(run.T[columns[:, None] + np.arange(-3, 4)])
    height = np.fmax.reduce(profile, axis=1) - np.fmin(profile[:, 0], profile[:, -1])
    return np.asarray(np.fmax.reduce(np.abs(np.diff(profile, axis=1)), axis=1) > STEEPEST_LIGHT * height)


def edge_defects(residual: Image, noise: Image, bad: Mask) -> Mask:
    """Find outer rows and columns whose level or scatter differs from the image inside them."""
    pull = np.where(bad, np.float32(np.nan), np.clip(residual / np.maximum(noise, 1e-30), -10, 10))
    found = np.zeros(pull.shape, dtype=bool)
    for view, target in ((pull, found), (pull[::-1], found[::-1]), (pull.T, found.T), (pull.T[::-1], found.T[::-1])):
        if view.shape[0] < 4 * EDGE_ROWS:
            continue
        rows = np.nan_to_num(view[: 2 * EDGE_ROWS])
        level = np.median(rows, axis=1)
        inside = np.median(level[EDGE_ROWS:])
        off = np.abs(level[:EDGE_ROWS] - inside) > EDGE_SIGMA
        off |= np.percentile(rows[:EDGE_ROWS], 2, axis=1) < np.percentile(rows[EDGE_ROWS:], 2) - 1.0
        if off.any():
            target[: int(np.flatnonzero(off).max()) + 1] = True
    return found


def unilluminated(data: Image, bad: Mask, sky: Background, *, falloff: float) -> Mask:
    """Mask what gets less than 1 - `falloff` of the sky's full light: vignetted corners, baffles.

    The sky's full light is the 95th percentile of the medians of 16 px blocks. Data with the electronic zero point
    still in them understate the fall-off. Frames whose sky is below ten times the noise show nothing and are left.
    Below three fifths of the light depth and flux scale differ too much from the rest of the frame.
    """
    ny, nx = (n // LIT_BLOCK_PX for n in data.shape)
    lit = np.zeros(data.shape, dtype=bool)
    if min(ny, nx) < 4:
        return lit
    values = np.where(bad, np.float32(np.nan), data)[: ny * LIT_BLOCK_PX, : nx * LIT_BLOCK_PX]
    blocks = values.reshape(ny, LIT_BLOCK_PX, nx, LIT_BLOCK_PX).swapaxes(1, 2).reshape(ny, nx, -1)
    medians = _block_medians(blocks)
    full = float(np.percentile(medians[np.isfinite(medians)], 95)) if np.isfinite(medians).any() else 0.0
    if full < LIT_SIGNAL * sky.median_noise:
        return lit
    dim = np.nan_to_num(medians, nan=full) < (1 - falloff) * full
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
        smooth = ndimage.uniform_filter(np.where(bad, np.float32(full), data), 7)
        lit = near & (dim[rows][:, columns] | (smooth < (1 - falloff) * full))
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


def _block_medians(blocks: NDArray[np.float32]) -> NDArray[np.float64]:
    ordered = np.sort(blocks, axis=-1)  # NaN last
    count = np.isfinite(blocks).sum(axis=-1)
    middle = np.take_along_axis(ordered, np.maximum(count // 2 - (count > 0), 0)[..., None], axis=-1)[..., 0]
    return np.where(count > 0.2 * blocks.shape[-1], middle, np.nan).astype(np.float64)


def is_bad(bits: Bits) -> Mask:
    """Return the boolean mask of a bit mask; interpolated pixels are usable."""
    return np.asarray((bits & np.uint16(BAD_BITS)) != 0)


def interpolate_small(data: Image, bits: Bits, noise: Image) -> tuple[Image, Bits, Image]:
    """Fill isolated defects and hits of at most 3 px from their neighbours.

    Filled pixels lose their cause and get the bit INTERPOLATED; they are usable, with a larger variance.

    Returns
    -------
    data, bits : with the small defects filled.
    extra_variance : (ny, nx), zero elsewhere: 4 noise² and the square of half the spread of the neighbours used.
    """
    small_bits = np.uint16(MaskBit.BAD | MaskBit.COSMIC_RAY)
    holes = is_bad(bits)
    labels, count = ndimage.label(holes, ALL_NEIGHBOURS)
    size = np.bincount(labels.ravel(), minlength=count + 1)
    other = np.bincount(labels.ravel(), ((bits & ~small_bits & np.uint16(BAD_BITS)) != 0).ravel(), minlength=count + 1)
    fillable = (size <= LARGEST_INTERPOLATED_PX) & (other == 0)
    fillable[0] = False
    rows, columns = np.nonzero(fillable[labels])
    windows = _windows(np.where(holes, np.float32(np.nan), data), rows, columns)
    offset = np.arange(-2, 3)
    weight = 1.0 / np.maximum(offset[:, None] ** 2 + offset[None, :] ** 2, 0.5).ravel() ** 2
    known = np.isfinite(windows)
    weights = np.where(known, weight, 0)
    total = weights.sum(axis=1)
    value = (weights * np.nan_to_num(windows)).sum(axis=1) / np.maximum(total, 1e-30)
    scatter = (weights * (np.nan_to_num(windows) - value[:, None]) ** 2).sum(axis=1) / np.maximum(total, 1e-30)
    usable = total > 0
    rows, columns = rows[usable], columns[usable]
    filled, new_bits = data.copy(), bits.copy()
    extra = np.zeros(data.shape, dtype=np.float32)
    filled[rows, columns] = value[usable]
    new_bits[rows, columns] = np.uint16(MaskBit.INTERPOLATED)
    extra[rows, columns] = INTERPOLATED_INFLATION * noise[rows, columns] ** 2 + scatter[usable]
    return filled, new_bits, extra
