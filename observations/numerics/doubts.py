"""What may be wrong with a frame or with what was made of it: one claim that cannot be relied on, and why."""

from __future__ import annotations

from dataclasses import dataclass

# What moves a result by more than these is not published before a person or an instrument profile has settled it.
TRUSTED_POSITION_ARCSEC, TRUSTED_TIME_S, TRUSTED_FLUX_SHARE = 2.0, 1.0, 0.05


@dataclass(frozen=True)
class Doubt:
    """One claim that cannot be relied on.

    code : what kind of doubt. fact : what is in doubt (time, position, scale, exposure, flux, ...). keyword : the
    header keyword that makes the claim, "" where it is no header's. value : the number or text that is doubted.
    message : a sentence for a person. blocks_publication : it may move a result by more than is trusted.
    """

    code: str
    fact: str
    keyword: str
    value: str | float | None
    message: str
    blocks_publication: bool = False
