"""Labelled stamps from simulated pairs that went through the project's own subtraction."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from detection.numerics import faults as draw
from detection.numerics.examples import Examples, joined, standardised
from detection.numerics.faults import Faults, Rng, draw_faults
from detection.numerics.stamps import cut_stamps
from detection.numerics.views import network_input
from differencing.numerics.align import align
from differencing.numerics.difference import Difference
from differencing.numerics.parameters import ZogyParameters
from differencing.numerics.peaks import Peaks, find
from differencing.numerics.tie import NoFluxScale
from differencing.numerics.zogy import subtract
from observations.numerics.frame import Frame, MaskBit
from observations.numerics.simulate.pair import Pair, PairParameters, matched_filter_snr, move, simulate_pair
from observations.numerics.simulate.sources import MoffatPsf, point_sources

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
# A flux scale that is off by more leaves every star behind, and a star left behind looks like a variable one: no
# stamp tells them apart, so that such a pair teaches nothing. The faults drawn here cost up to 20 %.
WORST_FLUX_SCALE_ERROR = 0.25

Progress = Callable[[int, int], None]

TRANSIENTS, VARIABLES, OTHER_CHANGES = 30, 12, 10  # per pair; sparse enough that they do not overlap at FWHM 7 px


@dataclass(frozen=True)
class TrainingSetParameters:
    """How to make a training set.

    zogy : the subtraction, as the pipeline does it.
    threshold_sigma : peaks from here on; below the pipeline's 5, so that its threshold is no edge of the training.
    bogus_per_pair : at most so many, so that one spoilt pair does not fill the set.
    match_fwhm, drop_fwhm : a peak within the first of a truth is it, one between them is its wing and is left out.
    """

    zogy: ZogyParameters
    seed: int = 1
    pairs: int = 100
    shape: tuple[int, int] = (512, 512)
    threshold_sigma: float = 4.5
    bogus_per_pair: int = 90
    match_fwhm: float = 0.6
    drop_fwhm: float = 2.5


@dataclass(frozen=True)
class Truth:
    """Real changes: x, y (science pixels), sign of the difference, kind."""

    x: Array
    y: Array
    is_negative: Flags
    kind: NDArray[np.str_]


def make_training_set(parameters: TrainingSetParameters, progress: Progress | None = None) -> Examples:
    """Simulate pairs, spoil them, subtract them, and label what the peak finder finds.

    Real are peaks at an injected change of either sign: transients on and off hosts, variable stars, trailed moving
    objects, sources that vanished. All others are bogus. Pairs that cannot be subtracted (too few stars, a flux
    scale that failed) are left out. The same parameters give the same set.

    Parameters
    ----------
    progress : called after each pair with the number of pairs and of examples so far.

    Returns
    -------
    Examples with one group per pair.

    Raises
    ------
    ValueError : no pair gave an example.
    """
    parts: list[Examples] = []
    for index in range(parameters.pairs):
        part = examples_of_pair(parameters, index)
        if part is not None and len(part):
            parts.append(part)
        if progress is not None:
            progress(index + 1, sum(map(len, parts)))
    if not parts:
        raise ValueError("no pair gave an example")
    return joined(parts)


def examples_of_pair(parameters: TrainingSetParameters, index: int) -> Examples | None:
    """Make the examples of one pair, or None where it could not be subtracted."""
    rng = np.random.default_rng([parameters.seed, index])
    recipe = draw_pair(rng, parameters, index)
    pair = simulate_pair(recipe)
    difference, truth = spoilt_difference(rng, pair, recipe, parameters.zogy)
    if difference is None:
        return None
    peaks = find(difference, threshold_sigma=parameters.threshold_sigma)
    fwhm = pair.psf_science.fwhm_px
    is_real, kind, keep = label(peaks, truth, parameters.match_fwhm * fwhm + 0.5, parameters.drop_fwhm * fwhm)
    bogus = rng.permutation(np.flatnonzero(keep & ~is_real))[parameters.bogus_per_pair :]
    keep[bogus] = False
    # The pipeline measures the FWHM to some per cent, and of other surveys' stamps it is guessed to a fifth: a network
    # that relied on more would be fooled.
    measured = fwhm * rng.uniform(0.87, 1.15)
    stamps = cut_stamps(
        difference.science, difference.reference, difference.difference, difference.mask, (peaks.x[keep], peaks.y[keep])
    )
    _, is_usable = network_input(stamps, measured)
    count = len(stamps)
    found = Examples(
        standardised(stamps),
        np.full(count, measured, dtype=np.float32),
        is_real[keep],
        kind[keep],
        np.full(count, f"pair {parameters.seed}.{index}"),
        np.abs(peaks.score[keep]).astype(np.float32),
    )
    return found.select(is_usable)


def draw_pair(rng: Rng, parameters: TrainingSetParameters, index: int) -> PairParameters:
    """Draw the instrument, the sky and the field of one pair."""
    fwhm = float(np.exp(rng.uniform(np.log(1.8), np.log(7.0))))
    sky = 10 ** rng.uniform(1.8, 3.8, 2)
    return PairParameters(
        seed=parameters.seed * 1_000_003 + index,
        shape=parameters.shape,
        n_stars=int(10 ** rng.uniform(1.9, 3.2)),
        n_galaxies=int(rng.integers(10, 40)),
        n_transients=TRANSIENTS,
        host_share=0.5,
        transient_snr=(5.0, 150.0),
        brightest_e=10 ** rng.uniform(5.3, 6.5),
        faintest_e=10 ** rng.uniform(1.8, 2.5),
        fwhm_science_px=fwhm,
        fwhm_reference_px=max(1.8, fwhm * float(rng.uniform(0.75, 1.35))),
        ellipticity=float(rng.uniform(0.0, 0.15)),
        psf_variation=float(rng.uniform(0.0, 0.15)),
        reference_flux_share=float(rng.uniform(0.5, 2.0)),
        science_sky_e=float(sky[0]),
        reference_sky_e=float(sky[1]),
        gain_e_per_adu=float(rng.uniform(0.6, 3.0)),
        read_noise_e=float(rng.uniform(3.0, 12.0)),
        offset_px=(float(rng.uniform(-4, 4)), float(rng.uniform(-4, 4))),
        rotation_deg=float(rng.uniform(-0.3, 0.3)),
    )


def spoilt_difference(
    rng: Rng, pair: Pair, recipe: PairParameters, zogy: ZogyParameters
) -> tuple[Difference | None, Truth]:
    """Add more real changes and the faults, register the reference with its error, and subtract."""
    science_faults, reference_faults = draw_faults(rng), replace(draw_faults(rng), flash_trains=0)
    science, reference, truth = add_changes(rng, pair, recipe)
    science = spoil(rng, science, science_faults, pair)
    reference = spoil(rng, reference, reference_faults, pair)
    reference = register(rng, reference, recipe, reference_faults.warp_px)
    psfs = [
        draw.mistaken_psf(psf, fault.psf_error, rng.normal(0.0, 0.04) if fault.psf_error else 0.0)
        for psf, fault in ((pair.psf_science, science_faults), (pair.psf_reference, reference_faults))
    ]
    try:
        difference = subtract(science, reference, parameters=zogy, psf_science=psfs[0], psf_reference=psfs[1])
    except NoFluxScale:
        return None, truth
    error = difference.diagnostics.flux_scale_median * recipe.reference_flux_share - 1.0
    return (difference if abs(error) < WORST_FLUX_SCALE_ERROR else None), truth


def add_changes(rng: Rng, pair: Pair, recipe: PairParameters) -> tuple[Frame, Frame, Truth]:
    """Add to the transients: variable stars, trailed objects, and sources that only the reference holds."""
    count = OTHER_CHANGES
    unit = _unit_flux(pair, recipe.reference_flux_share)
    shape = pair.science.shape
    inside = (pair.star_x > 12) & (pair.star_y > 12) & (pair.star_x < shape[1] - 13) & (pair.star_y < shape[0] - 13)
    stars = rng.permutation(np.flatnonzero(inside & (pair.star_flux > 5 * unit)))[:VARIABLES]
    changed = unit * _snr(rng, stars.size) * rng.choice([-1.0, 1.0], stars.size)
    changed = np.maximum(changed, -0.9 * pair.star_flux[stars])  # a star cannot lose more than it has
    new_x, new_y, new_flux = *_anywhere(rng, shape, count), unit * _snr(rng, count)
    old_x, old_y, old_flux = *_anywhere(rng, shape, count), unit * _snr(rng, count)
    science = _draw(pair.science, pair.star_x[stars], pair.star_y[stars], changed, pair.psf_science)
    science += _draw(pair.science, *_trailed(rng, new_x, new_y, new_flux, pair.psf_science.fwhm_px), pair.psf_science)
    moved = move(old_x, old_y, shape, recipe.offset_px, recipe.rotation_deg)
    reference = _draw(pair.reference, *moved, old_flux * recipe.reference_flux_share, pair.psf_reference)
    found = pair.transients
    kinds = [*np.where(found.is_on_host, "on host", "hostless"), *["variable"] * stars.size]
    truth = Truth(
        np.concatenate([found.x, pair.star_x[stars], new_x, old_x]),
        np.concatenate([found.y, pair.star_y[stars], new_y, old_y]),
        np.concatenate([np.zeros(len(found.x), bool), changed < 0, np.zeros(count, bool), np.ones(count, bool)]),
        np.array(kinds + ["moving"] * count + ["vanished"] * count),
    )
    return _exposed(rng, pair.science, science), _exposed(rng, pair.reference, reference), truth


def _snr(rng: Rng, count: int) -> Array:
    return np.exp(rng.uniform(np.log(5.0), np.log(150.0), count))


def _anywhere(rng: Rng, shape: tuple[int, int], count: int) -> tuple[Array, Array]:
    return rng.uniform(5, shape[1] - 6, count), rng.uniform(5, shape[0] - 6, count)


def _trailed(rng: Rng, x: Array, y: Array, flux: Array, fwhm_px: float) -> tuple[Array, Array, Array]:
    """Smear sources over up to one FWHM, as five points each."""
    along = np.linspace(-0.5, 0.5, 5)[:, None] * rng.uniform(0.0, fwhm_px, x.size)
    angle = rng.uniform(0, 2 * np.pi, x.size)
    return (x + along * np.cos(angle)).ravel(), (y + along * np.sin(angle)).ravel(), np.tile(flux / 5, 5)


def _draw(frame: Frame, x: Array, y: Array, flux: Array, psf: MoffatPsf) -> Array:
    return point_sources(frame.shape, x, y, flux, psf)


def _exposed(rng: Rng, frame: Frame, added: Array) -> Frame:
    """Add expected counts with their photon noise; what is taken away takes no noise with it."""
    noise = rng.normal(0.0, 1.0, added.shape) * np.sqrt(np.maximum(added, 0.0) / (frame.gain or 1.0))
    return replace(frame, data=(frame.data + added + noise).astype(np.float32))


def spoil(rng: Rng, frame: Frame, faults: Faults, pair: Pair) -> Frame:
    """Return the frame with its faults, some of them masked."""
    shape, data = frame.shape, frame.data.copy()
    sigma = float(np.percentile(data, 50) - np.percentile(data, 15.87))
    fwhm = pair.psf_science.fwhm_px
    data += draw.dust_rings(rng, frame.data, faults.dust_rings) if faults.dust_rings else 0
    data += draw.blobs(rng, shape, faults.blobs, sigma, fwhm) if faults.blobs else 0
    # A reference is a stack, from which what flashed once is rejected. A flash of which no stamp shows another would
    # teach that new stars are bogus: those are for the geometry of the frame.
    if faults.flash_trains:
        data += draw.flashes(rng, shape, faults.flash_trains, sigma, fwhm, widest_fwhm=draw.SEEN_STEP_FWHM)
    stars = (pair.star_x, pair.star_y, pair.star_flux)
    data += draw.spikes(rng, shape, stars, faults.spikes, sigma) if faults.spikes else 0
    data += draw.banding(rng, shape, faults.banding_sigma * sigma) if faults.banding_sigma else 0
    bits = np.zeros(shape, dtype=np.uint16) if frame.mask_bits is None else frame.mask_bits.copy()
    defects = [(image, MaskBit.COSMIC_RAY) for image in draw.cosmic_rays(rng, shape, faults.cosmic_rays, sigma)]
    defects += [(image, MaskBit.BAD) for image in draw.hot_pixels(rng, shape, faults.hot_pixels, sigma)]
    defects += [(image, MaskBit.BAD) for image in draw.bad_columns(rng, shape, faults.bad_columns, sigma)]
    defects += [(image, MaskBit.TRAIL) for image in draw.trails(rng, shape, faults.trails, sigma, fwhm)]
    for image, bit in defects:
        data += image
        if rng.random() < faults.masked_share:
            bits[np.abs(image) > sigma] |= np.uint16(bit)
    if faults.saturation_adu is not None:
        data, is_saturated = draw.bleeds(rng, data, float(np.median(data)) + faults.saturation_adu)
        if faults.is_saturation_masked:
            bits[is_saturated] |= np.uint16(MaskBit.SATURATED)
    return replace(frame, data=data, mask=bits != 0, mask_bits=bits)


def register(rng: Rng, reference: Frame, recipe: PairParameters, warp_px: float) -> Frame:
    """Resample the reference onto the science frame, with a local error of `warp_px` rms."""
    error_x, error_y = draw.warp(rng, reference.shape, warp_px)

    def pixel_map(x: Array, y: Array) -> tuple[Array, Array]:
        moved_x, moved_y = move(x, y, reference.shape, recipe.offset_px, recipe.rotation_deg)
        errors = (ndimage.map_coordinates(e, [y, x], order=1, mode="nearest") for e in (error_x, error_y))
        return moved_x + next(errors), moved_y + next(errors)

    return align(reference, pixel_map, reference.shape)


def label(peaks: Peaks, truth: Truth, match_px: float, drop_px: float) -> tuple[Flags, NDArray[np.str_], Flags]:
    """Tell which peaks are real, what each is, and which to keep.

    The nearest peak of the right sign within `match_px` of a truth is real. Others within `drop_px` of one are its
    wings, or its fellow lobe: neither real nor bogus, and not kept.
    """
    is_real = np.zeros(len(peaks), dtype=bool)
    kind = np.full(len(peaks), "bogus", dtype="U12")
    keep = np.ones(len(peaks), dtype=bool)
    for x, y, is_negative, name in zip(truth.x, truth.y, truth.is_negative, truth.kind, strict=True):
        distance = np.hypot(peaks.x - x, peaks.y - y)
        keep &= distance > drop_px
        distance = np.where(peaks.is_negative == is_negative, distance, np.inf)
        if len(peaks) and distance.min() <= match_px:
            nearest = int(distance.argmin())
            is_real[nearest], kind[nearest] = True, name
    return is_real, kind, keep | is_real


def _unit_flux(pair: Pair, reference_flux_share: float) -> float:
    """Return the flux (science counts) that an ideal subtraction would find at S/N 1 on empty sky."""
    ny, nx = pair.science.shape
    low, middle = (np.array([np.percentile(f.data, q) for f in (pair.science, pair.reference)]) for q in (15.87, 50.0))
    stamps = pair.psf_science(nx / 2, ny / 2), pair.psf_reference(nx / 2, ny / 2)
    sigma_n, sigma_r = middle - low
    return float(1.0 / matched_filter_snr(np.ones(1), *stamps, sigma_n, sigma_r / reference_flux_share)[0])
