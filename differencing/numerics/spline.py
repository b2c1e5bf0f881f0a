"""Quintic splines in single precision: the coefficients of an image, and its values wherever a map leads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from observations.numerics.compiled import by_strips, compiled
from observations.numerics.frame import Image

Grid = NDArray[np.float64]

# (x, y) of the target grid -> (x, y) in the frame that is resampled; arrays in, arrays out.
PixelMap = Callable[[Grid, Grid], tuple[Grid, Grid]]

# Poles of the quintic B-spline (Unser, Aldroubi & Eden 1993, IEEE Trans. Signal Process. 41, 821).
POLES = (-0.43057534709997, -0.04309628820326)
# The greater pole to the power of 24 is 2e-9: what lies further away is below single precision.
HORIZON_PX = 24
# Zeros around the image, so that the spline falls to zero outside it and does not mirror it.
PAD_PX = 12
# Rows or columns that one thread takes at a time, and columns filtered side by side.
STRIP_PX = 64
# A map is known at nodes this far apart and cubic between them, or at nearer ones where that is not good enough.
NODE_STEP_PX = 32.0
MAP_TOLERANCE_PX = 1e-3


def coefficients(image: Image) -> Image:
    """Return the quintic B-spline coefficients of a finite image that is zero outside, with `PAD_PX` around it.

    Parameters
    ----------
    image : (ny, nx) float32.

    Returns
    -------
    (ny + 24, nx + 24) float32.
    """
    ny, nx = image.shape
    padded = np.zeros((ny + 2 * PAD_PX, nx + 2 * PAD_PX), dtype=np.float32)
    padded[PAD_PX:-PAD_PX, PAD_PX:-PAD_PX] = image
    by_strips(lambda left, right: _filter_columns(padded, left, right), padded.shape[1], STRIP_PX)
    by_strips(lambda top, bottom: _filter_rows(padded, top, bottom), padded.shape[0], STRIP_PX)
    return padded


@dataclass(frozen=True)
class MapNodes:
    """A map of pixels at the nodes of a coarse grid over a target, cubic (Lagrange) between them.

    values : (3, rows, columns) x and y in the source, and the area of a target pixel there.
    step : (y, x) distance of the nodes, px; the first is at pixel 0, the last at the last pixel.
    """

    values: Grid
    step: tuple[float, float]

    def at(self, top: int, bottom: int, width: int) -> tuple[Grid, Grid, Image]:
        """Return x, y and area of all pixels of the rows from `top` to `bottom`."""
        row, row_weights = _node_taps(np.arange(top, bottom), self.step[0], self.values.shape[1])
        column, column_weights = _node_taps(np.arange(width), self.step[1], self.values.shape[2])
        lines = sum(row_weights[k][:, None] * self.values[:, row + k] for k in range(4))
        x, y = np.empty((bottom - top, width)), np.empty((bottom - top, width))
        area = np.empty((bottom - top, width), dtype=np.float32)
        _interpolate_map(lines, column, column_weights, x, y, area)
        return x, y, area


def map_nodes(pixel_map: PixelMap, shape: tuple[int, int]) -> MapNodes:
    """Evaluate a map at nodes so dense that between them it is known to 1e-3 px, at worst at every pixel.

    pixel_map : target (x, y) -> source (x, y), 0-based. shape : (ny, nx) of the target.
    """
    step = NODE_STEP_PX
    while True:
        nodes = _nodes(pixel_map, shape, step)
        if step <= 1.0 or _is_exact(nodes, pixel_map, shape):
            return nodes
        step /= 2.0


def _nodes(pixel_map: PixelMap, shape: tuple[int, int], step: float) -> MapNodes:
    count = [max(4, int(np.ceil((length - 1) / step)) + 1) for length in shape]
    y, x = (np.linspace(0.0, length - 1.0, n) for length, n in zip(shape, count, strict=True))
    column, row = (axis.ravel() for axis in np.meshgrid(x, y))
    source_x, source_y = pixel_map(column, row)
    values = np.stack([source_x, source_y, _pixel_area(pixel_map, column, row)])
    steps = [max(length - 1.0, 1e-6) / (n - 1) for length, n in zip(shape, count, strict=True)]
    return MapNodes(values.reshape(3, *count), (steps[0], steps[1]))


def _pixel_area(pixel_map: PixelMap, x: Grid, y: Grid) -> Grid:
    """Return the area of target pixels in source pixels (the Jacobian of the map)."""
    right, left = pixel_map(x + 0.5, y), pixel_map(x - 0.5, y)
    above, below = pixel_map(x, y + 0.5), pixel_map(x, y - 0.5)
    (dx_dx, dy_dx), (dx_dy, dy_dy) = np.subtract(right, left), np.subtract(above, below)
    return np.abs(dx_dx * dy_dy - dx_dy * dy_dx)


def _is_exact(nodes: MapNodes, pixel_map: PixelMap, shape: tuple[int, int]) -> bool:
    """Tell whether the map is met half-way between the nodes, where interpolation is worst."""
    rows = np.arange(nodes.step[0] / 2, shape[0] - 1, nodes.step[0]).astype(int)
    columns = np.arange(nodes.step[1] / 2, shape[1] - 1, nodes.step[1]).astype(int)
    for row in rows:
        x, y, _ = nodes.at(row, row + 1, shape[1])
        true = pixel_map(columns.astype(float), np.full(columns.size, float(row)))
        error = np.hypot(x[0, columns] - true[0], y[0, columns] - true[1])
        if not (error <= MAP_TOLERANCE_PX).all():
            return False
    return True


def _node_taps(pixel: NDArray[np.intp], step: float, count: int) -> tuple[NDArray[np.int64], Grid]:
    """Return the first of the four nodes that each pixel looks at and their Lagrange weights, (4, pixels)."""
    position = pixel / step
    first = np.clip(np.floor(position) - 1, 0, count - 4).astype(np.int64)
    t = position - first
    weights = [-(t - 1) * (t - 2) * (t - 3) / 6, t * (t - 2) * (t - 3) / 2, -t * (t - 1) * (t - 3) / 2]
    return first, np.stack([*weights, t * (t - 1) * (t - 2) / 6])


@compiled
def _interpolate_map(lines: Grid, first: NDArray[np.int64], weights: Grid, x: Grid, y: Grid, area: Image) -> None:
    for row in range(x.shape[0]):
        xs, ys, areas = lines[0, row], lines[1, row], lines[2, row]
        for i in range(x.shape[1]):
            k = first[i]
            a, b, c, d = weights[0, i], weights[1, i], weights[2, i], weights[3, i]
            x[row, i] = a * xs[k] + b * xs[k + 1] + c * xs[k + 2] + d * xs[k + 3]
            y[row, i] = a * ys[k] + b * ys[k + 1] + c * ys[k + 2] + d * ys[k + 3]
            area[row, i] = a * areas[k] + b * areas[k + 1] + c * areas[k + 2] + d * areas[k + 3]


@compiled
def _filter_lines(lines: Image) -> None:
    """Turn samples into coefficients along the first axis, in place; beyond both ends the samples are mirrored."""
    n = lines.shape[0]
    for pole in POLES:
        z = np.float32(pole)
        gain = np.float32((1.0 - pole) * (1.0 - 1.0 / pole))
        for k in range(n):
            for i in range(lines.shape[1]):
                lines[k, i] *= gain
        factor = z
        for k in range(1, min(HORIZON_PX, n)):
            for i in range(lines.shape[1]):
                lines[0, i] += factor * lines[k, i]
            factor *= z
        for k in range(1, n):
            for i in range(lines.shape[1]):
                lines[k, i] += z * lines[k - 1, i]
        last = np.float32(pole / (pole * pole - 1.0))
        for i in range(lines.shape[1]):
            lines[n - 1, i] = last * (z * lines[n - 2, i] + lines[n - 1, i])
        for k in range(n - 2, -1, -1):
            for i in range(lines.shape[1]):
                lines[k, i] = z * (lines[k + 1, i] - lines[k, i])


@compiled
def _filter_columns(image: Image, left: int, right: int) -> None:
    lines = image[:, left:right].copy()
    _filter_lines(lines)
    image[:, left:right] = lines


@compiled
def _filter_rows(image: Image, top: int, bottom: int) -> None:
    lines = image[top:bottom].T.copy()
    _filter_lines(lines)
    image[top:bottom] = lines.T


@compiled
def _taps(t: np.float32) -> tuple[np.float32, ...]:
    """Return 120 times the weights of the six taps for a point a share t of a pixel beyond the third."""
    # Whole numbers would turn single precision into double.
    c1, c5, c10, c20 = np.float32(1), np.float32(5), np.float32(10), np.float32(20)
    c26, c30, c50, c60, c66 = np.float32(26), np.float32(30), np.float32(50), np.float32(60), np.float32(66)
    a, b = t, c1 - t
    a2, b2 = a * a, b * b
    second = c26 + a * (-c50 + a * (c20 + a * (c20 + a * (-c20 + c5 * a))))
    third = c66 + a2 * (-c60 + a2 * (c30 - c10 * a))
    fourth = c66 + b2 * (-c60 + b2 * (c30 - c10 * b))
    fifth = c26 + b * (-c50 + b * (c20 + b * (c20 + b * (-c20 + c5 * b))))
    return b2 * b2 * b, second, third, fourth, fifth, a2 * a2 * a


@compiled
def _weighted(line: Image, k: int, w: tuple[np.float32, ...]) -> np.float32:
    return (
        w[0] * line[k] + w[1] * line[k + 1] + w[2] * line[k + 2]
        + w[3] * line[k + 3] + w[4] * line[k + 4] + w[5] * line[k + 5]
    )  # fmt: skip


@compiled
def _gather_run(lines: Image, share: Image, first: int, last: int, shift: int, values: Image) -> None:
    """Write the values from `first` to `last` that six lines of coefficients give, neighbours taking from neighbours.

    share : (2, n) parts of a pixel in x and y.
    """
    along, across = share[0], share[1]
    a, b, c, d, e, f = lines[0], lines[1], lines[2], lines[3], lines[4], lines[5]
    scale = np.float32(1.0 / 120.0**2)
    for i in range(first, last):
        k, w, v = i + shift, _taps(along[i]), _taps(across[i])
        total = v[0] * _weighted(a, k, w) + v[1] * _weighted(b, k, w) + v[2] * _weighted(c, k, w)
        total += v[3] * _weighted(d, k, w) + v[4] * _weighted(e, k, w) + v[5] * _weighted(f, k, w)
        values[i] = scale * total


@compiled
def gather(spline: Image, x: Grid, y: Grid, values: Image) -> None:
    """Write the values of a spline at positions in the unpadded image; 0 where its taps lie beyond the padding."""
    n = x.shape[1]
    column, row = np.empty(n, dtype=np.int64), np.empty(n, dtype=np.int64)
    share = np.empty((2, n), dtype=np.float32)
    last_row, last_column = spline.shape[0] - 6, spline.shape[1] - 6
    for line in range(x.shape[0]):
        for i in range(n):
            # The padded tap two to the left; nonsense is outside.
            left, below = np.floor(x[line, i]), np.floor(y[line, i])
            is_number = np.abs(left) < 1e9 and np.abs(below) < 1e9
            column[i] = np.int64(left) + PAD_PX - 2 if is_number else -1
            row[i] = np.int64(below) + PAD_PX - 2 if is_number else -1
            share[0, i], share[1, i] = x[line, i] - left, y[line, i] - below
        values[line] = 0
        start = 0
        while start < n:
            # As long as the map steps by one pixel, neighbours take from neighbours and vector instructions serve.
            shift, top = column[start] - start, row[start]
            stop = start + 1
            while stop < n and column[stop] - stop == shift and row[stop] == top:
                stop += 1
            if 0 <= top <= last_row:
                first, last = max(start, -shift), min(stop, last_column + 1 - shift)
                _gather_run(spline[top : top + 6], share, first, last, shift, values[line])
            start = stop
