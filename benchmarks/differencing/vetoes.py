"""What the vetoes leave of false peaks on real pairs, and what each takes of sources that were added to them."""

from __future__ import annotations

import csv
import math
from collections import Counter
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.special import ndtr

from benchmarks.differencing.injections import Injected, choose, subtracted, with_sources
from benchmarks.differencing.judging import at
from benchmarks.differencing.methods import Configured
from benchmarks.differencing.peaks import MATCH_PX
from benchmarks.differencing.real_frames import RealPair, folder_of_frames
from detection.numerics.infer import score
from detection.numerics.stamps import cut_stamps
from differencing.numerics import peaks
from differencing.numerics.difference import Difference
from differencing.numerics.measure import Measurements, measure
from differencing.numerics.spikes import are_spikes
from differencing.numerics.vetoes.examine import examine, filled_pixels
from differencing.numerics.vetoes.veto import CODES
from observations.numerics.frame import Frame, MaskBit

Flags = NDArray[np.bool_]

# Figures are those of peaks with this S/N, as measured, and of sources that far from saturated stars.
LEAST_SNR, CLEAR_FWHM = 7.5, 3.0
# What is known to move in the real frames is no false peak.
TRUTH, TRUTH_PX = "truth_asteroid.csv", 4.0


@dataclass(frozen=True)
class VetoRow:
    """How vetoes did on one real pair: counts, so that pairs can be added up.

    mpx : good pixels, in millions; unmasked : their share. injected : sources added, clear of saturated stars; limit :
    how many of them an ideal filter would show at this S/N; found : how many are peaks of it; off, on : how many of
    those nothing speaks against, and how many of these the network takes for real; false_peaks, false_off, false_on :
    likewise of what no source has made, in the pair as it is. lost : by code, added sources that each veto took;
    taken : by code, false peaks. candidates : all peaks beyond 5 sigma that are no source of the truth.
    """

    folder: str
    file: str
    seed: int
    mpx: float
    unmasked: float
    injected: int
    limit: float
    found: int
    off: int
    on: int
    false_peaks: int
    false_off: int
    false_on: int
    candidates: int
    lost: dict[str, int]
    taken: dict[str, int]


@dataclass(frozen=True)
class _Judged:
    """The peaks of one difference: what they are, what speaks against them, what the network says."""

    measured: Measurements
    codes: list[frozenset[str]]
    is_clean: Flags
    is_taken: Flags

    @property
    def is_bright(self) -> Flags:
        return np.abs(self.measured.snr) >= LEAST_SNR


def judge_vetoes(pair: RealPair, config: Configured, seed: int) -> VetoRow:
    """Look at the peaks of the pair as it is, then at those of sources that were added to it."""
    plain, _ = subtracted(pair.science, pair.reference, config)
    bare = _judged(plain, pair, pair.science, config)
    is_false = bare.is_bright & ~_is_known(pair, bare.measured)
    added = _clear(pair, choose(pair, plain, np.random.default_rng([seed, 21])))
    science = replace(pair.science, data=with_sources(pair.science, added, np.random.default_rng([seed, 22])))
    difference, _ = subtracted(science, pair.reference, config)
    judged = _judged(difference, pair, science, config)
    own = np.array([k for k in _matches(judged, added) if k >= 0], dtype=int)
    good = ~plain.mask
    return VetoRow(
        folder=pair.folder,
        file=pair.file,
        seed=seed,
        mpx=float(good.sum()) / 1e6,
        unmasked=float(good.mean()),
        injected=added.x.size,
        limit=float(ndtr(added.snr - LEAST_SNR).sum()),
        found=own.size,
        off=int(judged.is_clean[own].sum()),
        on=int((judged.is_clean & judged.is_taken)[own].sum()),
        false_peaks=int(is_false.sum()),
        false_off=int((is_false & bare.is_clean).sum()),
        false_on=int((is_false & bare.is_clean & bare.is_taken).sum()),
        candidates=int((~_is_known(pair, bare.measured)).sum()),
        lost=_counted(judged, own),
        taken=_counted(bare, np.flatnonzero(is_false)),
    )


def _judged(difference: Difference, pair: RealPair, science: Frame, config: Configured) -> _Judged:
    # The registry has models, which can be imported once Django is set up.
    from detection.registry.weights import DEFAULT_CARD

    found = peaks.find(difference, threshold_sigma=config.threshold_sigma)
    measured = measure(difference, found[~are_spikes(difference, found)], science)
    vetoes = examine(difference, measured, filled_pixels(pair.science, pair.reference))
    codes = [frozenset(veto.code for veto in each) for each in vetoes]
    is_clean = np.array([not each for each in codes], dtype=bool)
    stamps = cut_stamps(
        difference.science, difference.reference, difference.difference, difference.mask, (measured.x, measured.y)
    )
    fwhm = pair.science.stars.fwhm_px if pair.science.stars is not None else math.nan
    scores = score(stamps, DEFAULT_CARD.with_suffix(".safetensors"), fwhm_px=fwhm)
    is_taken = np.nan_to_num(scores, nan=0.0) >= 0.5
    return _Judged(measured, codes, is_clean & ~(measured.is_dipole | measured.is_reference_ghost), is_taken)


def _clear(pair: RealPair, added: Injected) -> Injected:
    """Return those of the sources that are far enough from saturated stars, and bright enough."""
    free = np.ones(pair.science.shape, dtype=bool)
    for frame in (pair.science, pair.reference):
        if frame.mask_bits is not None:
            free &= (frame.mask_bits & int(MaskBit.SATURATED)) == 0
    fwhm = pair.science.stars.fwhm_px if pair.science.stars is not None else 3.0
    distance = np.asarray(ndimage.distance_transform_edt(free)) if not free.all() else np.full(free.shape, np.inf)
    keep = (at(distance, added.x, added.y) > CLEAR_FWHM * fwhm) & (added.snr >= LEAST_SNR)
    return Injected(added.x[keep], added.y[keep], added.flux[keep], added.snr[keep])


def _matches(judged: _Judged, added: Injected) -> list[int]:
    """Return which bright positive peak each source has made; -1 where none."""
    m, out = judged.measured, []
    for x, y in zip(added.x, added.y, strict=True):
        distance = np.where(judged.is_bright & ~m.is_negative, np.hypot(m.x - x, m.y - y), np.inf)
        k = int(np.argmin(distance)) if len(m) else -1
        out.append(k if k >= 0 and distance[k] < MATCH_PX else -1)
    return out


def _is_known(pair: RealPair, measured: Measurements) -> Flags:
    """Tell which peaks are of what the truth beside the frames says moves there."""
    path = folder_of_frames() / pair.folder / TRUTH
    out = np.zeros(len(measured), dtype=bool)
    if path.exists():
        with path.open() as file:
            for row in csv.DictReader(file):
                if row["file"] == pair.file:
                    near = np.hypot(measured.x - float(row["x0"]), measured.y - float(row["y0"])) < TRUTH_PX
                    out |= near & ~measured.is_negative
    return out


def _counted(judged: _Judged, which: NDArray[np.integer]) -> dict[str, int]:
    return dict(Counter(code for k in which for code in judged.codes[k]))


def table_of(rows: list[VetoRow]) -> list[str]:
    """Return the lines of the table: each folder over its frames and seeds, all of them, and each veto by itself."""
    lines = [
        "",
        f"vetoes on real pairs, S/N {LEAST_SNR:g} and more: completeness as share of the limit, false peaks per Mpx",
        f"{'folder':26}{'added':>7}{'unmasked':>9}{'peaks':>7}{'vetoes':>8}{'network':>8}"
        f"{'false':>8}{'vetoes':>8}{'network':>8}",
    ]
    for folder in [*dict.fromkeys(row.folder for row in rows), "all"]:
        own = [row for row in rows if folder in (row.folder, "all")]
        limit, mpx = sum(row.limit for row in own), sum(row.mpx for row in own)
        shares = "".join(f"{sum(getattr(row, name) for row in own) / limit:8.3f}" for name in ("found", "off", "on"))
        false = "".join(
            f"{sum(getattr(row, name) for row in own) / mpx:8.2f}" for name in ("false_peaks", "false_off", "false_on")
        )
        unmasked = float(np.mean([row.unmasked for row in own]))
        lines.append(f"{folder:26}{sum(row.injected for row in own):7d}{unmasked:9.3f}{shares}{false}")
    found, false_peaks = sum(row.found for row in rows), sum(row.false_peaks for row in rows)
    lines += ["", f"{'veto':20}{'takes of those found':>22}{'of false peaks':>16}"]
    for code in CODES:
        lost, taken = sum(row.lost.get(code, 0) for row in rows), sum(row.taken.get(code, 0) for row in rows)
        lines.append(f"{code:20}{lost / max(found, 1):22.4f}{taken / max(false_peaks, 1):16.3f}")
    return lines
