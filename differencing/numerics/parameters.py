"""What the numerics of differencing may be told."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ZogyParameters:
    """What the subtraction may be told; every value is recorded with the run.

    tile_px, overlap_px : the PSF is constant within a tile; smaller tiles follow it better, and the overlap
        must exceed the PSF's half size (a PSF that varies by 18 %: completeness .91 with 256 px, .96 with 128 px).
    model_error : least relative error of PSF and flux scale, as epsilon² min(|S_n|, |S_r|)² in the variance; 0.005
        silences residuals of bright stars where all is well; what the stars of the pair show beyond that is used.
    max_stars : stars measured for the tie. min_stars : fewest that make one.
    shift_floor_px : a shift field below this stays uncorrected: its effect is under the model error.
    max_flux_scatter : largest relative scatter of the stars' flux ratios; real pairs have 0.01 to 0.06, a wrong flux
        scale (stars confused with defects) 1 and more.
    """

    tile_px: int
    overlap_px: int
    model_error: float
    min_stars: int
    max_stars: int = 200
    shift_floor_px: float = 0.02
    max_flux_scatter: float = 0.2
