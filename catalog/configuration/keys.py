"""Every configuration key of the system: type, bounds, default, and the sentence that explains it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from django.core.exceptions import ValidationError

ConfigValue = bool | int | float | str


class ConfigRefused(ValueError):
    """A key or a value is not acceptable; the text says why."""

    def as_validation_error(self) -> ValidationError:
        return ValidationError(str(self))


@dataclass(frozen=True)
class ConfigKey:
    """One declared key; the type of the default is the type of the value. The unit is part of the name."""

    name: str
    default: ConfigValue
    explanation: str
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()

    def checked(self, value: object) -> ConfigValue:
        """Return the value in the declared type, or refuse it with a reason."""
        if isinstance(self.default, bool):
            return self._checked_bool(value)
        if isinstance(self.default, str):
            return self._checked_text(value)
        return self._checked_number(value)

    def _checked_bool(self, value: object) -> bool:
        if not isinstance(value, bool):
            raise ConfigRefused(f"{self.name} must be true or false, not {value!r}.")
        return value

    def _checked_text(self, value: object) -> str:
        if not isinstance(value, str) or value not in self.choices:
            raise ConfigRefused(f"{self.name} must be one of {', '.join(self.choices)}, not {value!r}.")
        return value

    def _checked_number(self, value: object) -> int | float:
        whole = isinstance(self.default, int)
        # bool is a subclass of int, and true is no number of pixels.
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise ConfigRefused(f"{self.name} must be a number, not {value!r}.")
        if whole and value != int(value):
            raise ConfigRefused(f"{self.name} must be a whole number, not {value!r}.")
        if self.minimum is not None and value < self.minimum:
            raise ConfigRefused(f"{self.name} must be at least {self.minimum:g}, not {value!r}.")
        if self.maximum is not None and value > self.maximum:
            raise ConfigRefused(f"{self.name} must be at most {self.maximum:g}, not {value!r}.")
        return int(value) if whole else float(value)


_INGEST = (
    ConfigKey(
        "ingest.max_unpacked_mb",
        1024,
        "A file is refused before more than this many megabytes of it are unpacked; a 61-megapixel frame has 244.",
        1,
        65536,
    ),
    ConfigKey(
        "ingest.max_axis_px",
        32768,
        "An image is refused when an axis is longer than this.",
        64,
        1_000_000,
    ),
    ConfigKey(
        "ingest.max_file_mb",
        4096,
        "A file that is uploaded or downloaded is refused when it has more than this many megabytes.",
        1,
        1_000_000,
    ),
    ConfigKey(
        "ingest.settle_seconds",
        5,
        "A file in the watched folder is taken in when it has not changed for this long: it may be incomplete.",
        1,
        3600,
    ),
    ConfigKey(
        "ingest.field_overlap_share",
        0.5,
        "Frames whose centres are nearer than this share of the frame's width belong to one field.",
        0.05,
        1.0,
    ),
)

_PREPROCESSING = (
    ConfigKey("preprocessing.bias_validity_days", 30, "A master bias older than this is not used.", 0, 3650),
    ConfigKey("preprocessing.dark_validity_days", 30, "A master dark older than this is not used.", 0, 3650),
    ConfigKey("preprocessing.flat_validity_days", 14, "A master flat older than this is not used.", 0, 3650),
    ConfigKey(
        "preprocessing.sky_flat_validity_days",
        1,
        "A flat made of the night's own sky serves that many days: dust and scattered light move on.",
        0,
        365,
    ),
    ConfigKey(
        "preprocessing.dark_temperature_tolerance_c",
        2.0,
        "A dark serves lights within this many degrees: dark current doubles in about 6.",
        0.0,
        30.0,
    ),
    ConfigKey(
        "preprocessing.sky_flat_min_frames",
        3,
        "A sky flat needs this many dithered lights: with two, a star stays in the median.",
        3,
        1000,
    ),
    ConfigKey(
        "preprocessing.master_max_frames",
        64,
        "At most this many frames enter one master: more do not lower the noise that matters, and cost memory.",
        1,
        1000,
    ),
    ConfigKey("preprocessing.clip_cosmic_rays", True, "Whether cosmic rays are found and masked."),
    ConfigKey(
        "preprocessing.cosmic_ray_sigma",
        6.0,
        "A pixel this far above its neighbourhood's sharpest possible star is a cosmic ray.",
        3.0,
        50.0,
    ),
    ConfigKey(
        "preprocessing.vignette_falloff",
        0.4,
        "Pixels that receive this share less light than the centre count as unilluminated.",
        0.05,
        0.95,
    ),
    ConfigKey("preprocessing.background_mesh_px", 64, "Width of a cell of the background mesh.", 8, 1024),
    ConfigKey("preprocessing.star_threshold_sigma", 5.0, "A star is this many sigma above the sky.", 2.0, 100.0),
    ConfigKey("preprocessing.min_stars", 10, "A frame with fewer stars fails as too_few_stars.", 3, 10000),
    ConfigKey(
        "preprocessing.max_masked_share",
        0.15,
        "A frame fails when a larger share of its pixels is bad.",
        0.0,
        1.0,
    ),
    ConfigKey(
        "preprocessing.max_sky_share_of_saturation",
        0.6,
        "A frame fails when its sky fills a larger share of the range up to saturation.",
        0.01,
        1.0,
    ),
    ConfigKey(
        "preprocessing.max_sky_ratio",
        3.0,
        "A frame fails when its sky rate is this many times the median of its field and band on that night.",
        1.1,
        1000.0,
    ),
    ConfigKey(
        "preprocessing.max_depth_loss_mag",
        2.5,
        "A frame fails when its predicted depth is this much worse than the best of its field and band; "
        "haze alone, at 0.45 of the light, costs about 1 and must pass.",
        0.1,
        10.0,
    ),
    ConfigKey(
        "preprocessing.min_transparency",
        0.05,
        "A frame with less than this share of the light of the field's clearest frame is clouded out.",
        0.0,
        1.0,
    ),
    ConfigKey("preprocessing.max_ellipticity", 0.5, "A frame with longer star images is trailed.", 0.05, 1.0),
    ConfigKey(
        "preprocessing.max_anchor_rms_px",
        1.0,
        "The match to the field's anchor fails when its stars scatter by more.",
        0.05,
        10.0,
    ),
)

_DIFFERENCING = (
    ConfigKey(
        "differencing.threshold_sigma",
        5.0,
        "A peak of the score image becomes a candidate from here on; at 5, about one in a megapixel is noise.",
        3.0,
        100.0,
    ),
    ConfigKey(
        "differencing.max_candidates",
        2000,
        "A run with more candidates fails: no good subtraction has so many.",
        1,
        100_000,
    ),
    ConfigKey("differencing.tile_px", 256, "Width of a tile in which the PSF counts as constant.", 128, 4096),
    ConfigKey("differencing.tile_overlap_px", 32, "Pixels that neighbouring tiles share.", 8, 64),
    ConfigKey(
        "differencing.model_error",
        0.005,
        "Share of the fainter image's signal that counts as model error near bright stars; 0.02 loses transients "
        "on their hosts.",
        0.0,
        0.1,
    ),
    ConfigKey(
        "differencing.noise_rescale_tolerance",
        0.1,
        "A score whose noise differs from 1 by more than this is reported with a warning.",
        0.01,
        1.0,
    ),
    ConfigKey("differencing.min_matched_stars", 6, "Registration fails with fewer stars in common.", 3, 1000),
    ConfigKey("differencing.max_registration_rms_px", 1.0, "Registration fails above this scatter.", 0.05, 10.0),
    ConfigKey(
        "differencing.min_overlap_share",
        0.1,
        "A run fails when reference and science have less of the science frame in common.",
        0.01,
        1.0,
    ),
    ConfigKey(
        "differencing.reference_min_gap_minutes",
        15.0,
        "In a single night, a reference frame is at least this far in time before its seeing counts.",
        0.0,
        1440.0,
    ),
    ConfigKey(
        "differencing.reference_exclude_days",
        0,
        "A reference holds no frame of the science night, nor of this many days around it.",
        0,
        3650,
    ),
    ConfigKey(
        "differencing.reference_min_stack",
        3,
        "A stack needs this many frames: with fewer, an outlier cannot be told.",
        3,
        1000,
    ),
    ConfigKey("differencing.reference_max_stack", 25, "At most this many frames, the best, enter a stack.", 3, 1000),
    ConfigKey(
        "differencing.stack_rejection_sigma",
        4.0,
        "A pixel of a stack's member this far from the others is left out.",
        2.0,
        20.0,
    ),
    ConfigKey(
        "differencing.tracklet_min_members",
        3,
        "A tracklet joins at least this many candidates: any two lie on a line.",
        3,
        100,
    ),
    ConfigKey("differencing.tracklet_max_rms_arcsec", 1.0, "Largest scatter about a tracklet's line.", 0.05, 30.0),
    ConfigKey(
        "differencing.tracklet_max_rate_arcsec_per_min",
        10.0,
        "Fastest motion looked for; a main-belt asteroid moves at about 0.5.",
        0.05,
        1000.0,
    ),
)

_DETECTION = (
    ConfigKey(
        "detection.confidence_threshold",
        0.5,
        "A candidate scored at or above this becomes a detection; lower ones keep their score.",
        0.0,
        1.0,
    ),
    ConfigKey(
        "detection.association_floor_arcsec",
        1.0,
        "Detections nearer than this are one source even where the formal errors are smaller.",
        0.05,
        60.0,
    ),
    ConfigKey(
        "detection.association_sigma",
        3.0,
        "Detections within this many combined position errors are one source.",
        1.0,
        10.0,
    ),
)

_CURATION = (
    ConfigKey(
        "curation.lease_minutes",
        15,
        "A detection that somebody looks at is given to nobody else for this long after their last sign of life.",
        1,
        1440,
    ),
    ConfigKey(
        "curation.blind",
        False,
        "Whether people see what others said of a detection only after their own answer.",
    ),
)

_ALERTS = (
    ConfigKey("alerts.automatic", True, "Whether a high score alone makes an alert, before any person has looked."),
    ConfigKey(
        "alerts.automatic_threshold",
        0.99,
        "A detection scored at or above this makes an alert by itself, unless a person has rejected it.",
        0.0,
        1.0,
    ),
    ConfigKey(
        "alerts.automatic_min_snr",
        10.0,
        "A detection fainter than this waits for a person, whatever its score.",
        0.0,
        1000.0,
    ),
    ConfigKey(
        "alerts.min_human_confidence",
        "medium",
        "A person's verdict makes an alert when the surest who agrees was at least this sure.",
        choices=("low", "medium", "high", "expert"),
    ),
    ConfigKey(
        "alerts.update_mag",
        0.3,
        "An alerted source is told about again when its flux has changed by this many magnitudes.",
        0.01,
        10.0,
    ),
    ConfigKey("alerts.high_snr", 30.0, "A new source this significant is told with high priority.", 5.0, 10000.0),
    ConfigKey("alerts.critical_mag", 12.0, "A source at or above this brightness is critical.", -30.0, 30.0),
)

DECLARED: Mapping[str, ConfigKey] = MappingProxyType(
    {key.name: key for key in (*_INGEST, *_PREPROCESSING, *_DIFFERENCING, *_DETECTION, *_CURATION, *_ALERTS)}
)


def check_value(name: str, value: Any) -> ConfigValue:
    """Return the value in the declared type, or refuse key or value with a reason."""
    key = DECLARED.get(name)
    if key is None:
        raise ConfigRefused(f"There is no configuration key {name!r}.")
    return key.checked(value)
