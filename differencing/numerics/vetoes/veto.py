"""What speaks against a candidate."""

from __future__ import annotations

from dataclasses import dataclass

# All reasons; the configuration says of each whether it rejects.
CODES = (
    "flash_train", "cosmic_ray", "hot_pixel", "fixed_pixel", "reflection", "displaced_star", "seen_once",
    "soft_pixels", "crowded", "wider_than_star", "psf_difference", "psf_science", "psf_reference",
    "trail",
)  # fmt: skip
# What these speak against is no light of the sky's, and nothing that moves.
OF_NO_SOURCE = frozenset({"flash_train", "cosmic_ray", "hot_pixel", "fixed_pixel", "reflection", "displaced_star"})


@dataclass(frozen=True)
class Veto:
    """One reason to doubt that a candidate is a source that is new, gone, or somewhere else.

    code : which reason. value : the number that it was decided by. message : a sentence for a person.
    """

    code: str
    value: float
    message: str
