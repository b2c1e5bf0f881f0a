"""What the subtraction is told by the configuration."""

from __future__ import annotations

from catalog.configuration.values import Snapshot
from differencing.numerics.parameters import ZogyParameters


def zogy_parameters(config: Snapshot) -> ZogyParameters:
    """Return the parameters of the subtraction as configured."""
    return ZogyParameters(
        tile_px=config["differencing.tile_px"],
        overlap_px=config["differencing.tile_overlap_px"],
        model_error=config["differencing.model_error"],
        min_stars=config["differencing.min_matched_stars"],
    )
