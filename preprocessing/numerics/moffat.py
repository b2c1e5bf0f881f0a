"""Moffat profiles of many stars at once: fitted to each, with one index for all."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from observations.numerics.compiled import compiled
from observations.numerics.frame import Column, Cube

# A Moffat's index: 2.5 to 5 are skies and optics; 1.7 still has a finite flux.
FLATTEST, STEEPEST = 1.7, 12.0
# Longest step of one round in centre [px], logarithm of the width, ellipticity: farther the slopes tell nothing.
LONGEST = np.array([0.3, 0.3, 0.3, 0.15, 0.15])
LARGEST_ELLIPTICITY = 0.8
# A relative error of the profile counts as so much of the height in the wings, where the profile itself is nothing.
WING_ERROR = 0.02


@dataclass(frozen=True)
class Stamps:
    """Squares cut from an image around n stars; the middle pixel is the one nearest to the star.

    value : (n, k, k), sky taken off. weight : (n, k, k) inverse variance of the sky. Both are 0 where unusable.
    """

    value: NDArray[np.float32]
    weight: NDArray[np.float32]

    def __getitem__(self, which: NDArray[np.bool_] | NDArray[np.intp]) -> Stamps:
        return Stamps(self.value[which], self.weight[which])

    def cut(self, half: int) -> Stamps:
        """Return the middle `half` px to each side, or all there is."""
        middle = self.value.shape[-1] // 2
        half = min(half, middle)
        here = np.s_[:, middle - half : middle + half + 1, middle - half : middle + half + 1]
        return Stamps(np.ascontiguousarray(self.value[here]), np.ascontiguousarray(self.weight[here]))


@dataclass(frozen=True)
class Moffats:
    """n profiles A (1 + K e^(-2t) [(1 - e1) dx² + (1 + e1) dy² - 2 e2 dx dy])^-beta + sky, one beta for all.

    shape : (n, 3) t, e1, e2; t is the logarithm of the full width at half maximum in px, K = 4 (2^(1/beta) - 1).
    centre : (n, 2) x and y, px from the middle pixel. height : (n,) A. sky : (n,).
    """

    shape: NDArray[np.float64]
    centre: NDArray[np.float64]
    height: Column
    sky: Column
    beta: float

    def __getitem__(self, which: NDArray[np.bool_]) -> Moffats:
        return Moffats(self.shape[which], self.centre[which], self.height[which], self.sky[which], self.beta)

    @property
    def light(self) -> Column:
        """Light of each profile over the infinite plane."""
        t, e1, e2 = self.shape.T
        narrow = _steepness(self.beta) * np.exp(-2 * t) * np.sqrt(1 - e1**2 - e2**2)
        return self.height * np.pi / (self.beta - 1) / narrow

    def profiles(self, half: int) -> Cube:
        """Return the profiles for unit light, without sky, at the middle of each pixel `half` px around: (n, k, k)."""
        out = np.zeros((len(self.height), 2 * half + 1, 2 * half + 1))
        narrow = _steepness(self.beta) * np.exp(-2 * self.shape[:, 0])
        _draw(narrow, self.shape, self.centre, self.height / self.light, self.beta, out)
        return out


@dataclass(frozen=True)
class MoffatFit:
    """Fitted profiles, and the variance of each one's shape by noise, (n, 3)."""

    moffats: Moffats
    variance: NDArray[np.float64]


def _steepness(beta: float) -> float:
    return float(4 * (2 ** (1 / beta) - 1))


def plain_moffats(fwhm_px: float, centre: NDArray[np.float64], height: Column, beta: float) -> Moffats:
    """Return round profiles of one width, as a first guess."""
    n = len(height)
    shape = np.column_stack([np.full(n, np.log(fwhm_px)), np.zeros((n, 2))])
    return Moffats(shape, centre, height, np.zeros(n), beta)


def fit_shapes(stamps: Stamps, start: Moffats, say: Column, *, model_error: float, rounds: int) -> MoffatFit:
    """Fit a Moffat of its own shape and a sky to each stamp by Gauss-Newton steps, and one beta to all of them.

    Parameters
    ----------
    stamps : pixels of weight 0 take no part. start : first guess. say : (n,) how much a star counts for beta.
    model_error : relative error of the profile that every pixel is granted beside its noise.
    """
    now = start
    for _ in range(rounds):
        normal, right = _equations(stamps, now, model_error)
        local = _steadied(normal[:, :7, :7])
        both = np.linalg.solve(local, np.stack([right[:, :7], normal[:, :7, 7]], axis=2))
        curvature = normal[:, 7, 7] - (normal[:, :7, 7] * both[:, :, 1]).sum(axis=1)
        slope = right[:, 7] - (normal[:, :7, 7] * both[:, :, 0]).sum(axis=1)
        known = np.where(np.isfinite(curvature + slope) & (curvature > 0), say, 0)
        total = float((known * np.where(known > 0, curvature, 0)).sum())
        beta = float(np.clip((known * np.where(known > 0, slope, 0)).sum() / total, -1, 1)) if total > 0 else 0.0
        step = both[:, :, 0] - beta * both[:, :, 1]
        now = _stepped(now, step)
        now = replace(now, beta=float(np.clip(now.beta + beta, FLATTEST, STEEPEST)))
    covariance = np.linalg.inv(_steadied(normal[:, :7, :7]))
    return MoffatFit(now, np.diagonal(covariance, axis1=1, axis2=2)[:, 4:].copy())


def fit_places(stamps: Stamps, start: Moffats, *, model_error: float, rounds: int, with_sky: bool = True) -> Moffats:
    """Fit height, centre and, where asked for, the sky of profiles of known shape."""
    now = start
    own = [0, 1, 2, 3] if with_sky else [0, 2, 3]
    for _ in range(rounds):
        normal, right = _equations(stamps, now, model_error, parameters=4)
        step = np.zeros((len(now.height), 4))
        step[:, own] = np.linalg.solve(_steadied(normal[:, own][:, :, own]), right[:, own, None])[..., 0]
        now = _stepped(now, step)
    return now


def _equations(stamps: Stamps, m: Moffats, model_error: float, parameters: int = 8) -> tuple[Cube, NDArray[np.float64]]:
    """Return each star's normal equations for height, sky, x, y, t, e1, e2, beta, or the first of these.

    They are (n, parameters, parameters) and (n, parameters).
    """
    n = len(m.height)
    normal, right = np.zeros((n, parameters, parameters)), np.zeros((n, parameters))
    narrow = _steepness(m.beta) * np.exp(-2 * m.shape[:, 0])
    root = 2 ** (1 / m.beta)
    widening = float(-root * np.log(2) / m.beta**2 / (root - 1))
    heights = np.column_stack([m.height, m.sky])
    constants = (m.beta, widening, model_error, WING_ERROR)
    _accumulate(stamps.value, stamps.weight, narrow, m.shape, m.centre, heights, constants, normal, right)
    return normal + np.triu(normal.transpose(0, 2, 1), 1), right


def _steadied(normal: Cube) -> Cube:
    """Hold what a star says nothing about: a parameter without slope stays where it is."""
    size = normal.shape[-1]
    diagonal = np.diagonal(normal, axis1=1, axis2=2)
    return normal + np.eye(size) * (1e-9 * diagonal + 1e-12 * diagonal.max(axis=1, keepdims=True) + 1e-30)[:, None, :]


def _stepped(m: Moffats, step: NDArray[np.float64]) -> Moffats:
    step = np.nan_to_num(step)
    height = m.height + step[:, 0]
    height = np.where(height > 0, height, 0.5 * m.height)
    centre = m.centre + np.clip(step[:, 2:4], -LONGEST[:2], LONGEST[:2])
    now = replace(m, height=height, sky=m.sky + step[:, 1], centre=centre)
    if step.shape[1] == 4:
        return now
    shape = m.shape + np.clip(step[:, 4:], -LONGEST[2:], LONGEST[2:])
    shape[:, 1:] /= np.maximum(1, np.hypot(shape[:, 1], shape[:, 2]) / LARGEST_ELLIPTICITY)[:, None]
    return replace(now, shape=shape)


@compiled
def _draw(narrow, shape, centre, height, beta, out):  # type: ignore[no-untyped-def]
    n, k, _ = out.shape
    half = k // 2
    for i in range(n):
        for row in range(k):
            dy = row - half - centre[i, 1]
            for column in range(k):
                dx = column - half - centre[i, 0]
                q = 1 + narrow[i] * (
                    (1 - shape[i, 1]) * dx * dx + (1 + shape[i, 1]) * dy * dy - 2 * shape[i, 2] * dx * dy
                )
                out[i, row, column] = height[i] * np.exp(-beta * np.log(q))


@compiled
def _accumulate(value, weight, narrow, shape, centre, heights, constants, normal, right):  # type: ignore[no-untyped-def]  # noqa: PLR0913
    beta, widening, model_error, wing_error = constants
    n, k, _ = value.shape
    half, parameters = k // 2, right.shape[1]
    slope = np.empty(8)
    for i in range(n):
        height, sky = heights[i]
        e1, e2 = shape[i, 1], shape[i, 2]
        for row in range(k):
            dy = row - half - centre[i, 1]
            for column in range(k):
                sky_weight = weight[i, row, column]
                if sky_weight == 0:
                    continue
                dx = column - half - centre[i, 0]
                by_x = narrow[i] * ((1 - e1) * dx - e2 * dy)
                by_y = narrow[i] * ((1 + e1) * dy - e2 * dx)
                q = 1 + by_x * dx + by_y * dy
                log = np.log(q)
                profile = np.exp(-beta * log)
                steep = height * beta * profile / q
                slope[0] = profile
                slope[1] = 1
                slope[2] = 2 * steep * by_x
                slope[3] = 2 * steep * by_y
                if parameters > 4:
                    slope[4] = 2 * steep * (q - 1)
                    slope[5] = steep * narrow[i] * (dx * dx - dy * dy)
                    slope[6] = steep * narrow[i] * 2 * dx * dy
                    slope[7] = -height * log * profile - steep * widening * (q - 1)
                softened = model_error * height * (profile + wing_error)
                w = sky_weight / (1 + sky_weight * softened * softened)
                rest = w * (value[i, row, column] - height * profile - sky)
                for a in range(parameters):
                    right[i, a] += slope[a] * rest
                    scaled = w * slope[a]
                    for b in range(a + 1):
                        normal[i, a, b] += scaled * slope[b]
