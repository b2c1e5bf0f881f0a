"""What reading a FITS file gives, takes and refuses: the shapes that the fits_* files share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from observations.numerics.doubts import Doubt

if TYPE_CHECKING:
    from astropy.wcs import WCS


class FitsRefused(Exception):
    """A file or an image that cannot be used; `code` is a failure code, the text a sentence for a person."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


@dataclass(frozen=True)
class ReadLimits:
    """How much one file may cost before it is refused.

    max_hdu_bytes : one HDU as declared by its header. A 61-megapixel camera writes 122 MB (16 bit), the largest
        detectors 0.5 GB in float32.
    max_unpacked_bytes : everything that comes out of one gzip file.
    max_ratio, free_bytes : a gzip file may unpack to `max_ratio` times its size once past `free_bytes`; real frames
        shrink by 2 to 4, an all-zero 16-bit frame of 4096² (32 MiB) by 1000, deflate's own limit is 1032.
    max_header_bytes : header of one HDU; the longest that stacks write (HISTORY of all members) stay below 1 MB.
    max_axis_px : longer axes belong to no detector and to no stack that these numerics can hold.
    max_hdus : mosaics have up to 200 images with three planes each.
    min_axis_px : smaller images cannot hold one PSF box (25 px) and are thumbnails or test patterns.
    """

    max_hdu_bytes: int = 2**30
    max_unpacked_bytes: int = 2**30
    max_ratio: float = 100.0
    free_bytes: int = 64 * 2**20
    max_header_bytes: int = 2 * 2**20
    max_hdus: int = 1000
    min_axis_px: int = 24
    max_axis_px: int = 32768


@dataclass(frozen=True)
class Overrides:
    """What a person gives beside the file.

    Position, pixel scale and band overrule a light frame's header, and the disagreement is recorded (they fill
    what a calibration frame lacks). Exposure (s) and time (aware UTC) differ from frame to frame: they only fill.
    utc_offset_hours : local civil time minus UTC, of clocks that are not said to be UTC.
    """

    ra_deg: float | None = None
    dec_deg: float | None = None
    pixel_scale_arcsec: float | None = None
    band: str | None = None
    exposure_s: float | None = None
    observation_time: datetime | None = None
    utc_offset_hours: float | None = None

    def __post_init__(self) -> None:
        if (self.ra_deg is None) != (self.dec_deg is None):
            raise ValueError("a position needs both right ascension and declination")
        _check("right ascension", self.ra_deg, 0.0, 360.0)
        _check("declination", self.dec_deg, -90.0, 90.0)
        _check("pixel scale", self.pixel_scale_arcsec, 0.005, 300.0)
        _check("exposure time", self.exposure_s, 1e-6, 1e7)
        _check("the offset from UTC in hours", self.utc_offset_hours, -14.0, 14.0)
        if self.observation_time is not None and self.observation_time.tzinfo is None:
            raise ValueError("the time of observation needs its offset from UTC")


def _check(name: str, value: float | None, low: float, high: float) -> None:
    if value is not None and not low <= value <= high:
        raise ValueError(f"{name} must lie between {low:g} and {high:g}, not {value!r}")


@dataclass(frozen=True)
class Origin:
    """Where a fact comes from. source : keyword, "given", or a profile's name. written : what stands there."""

    source: str
    written: str = ""
    note: str = ""


@dataclass(frozen=True)
class FrameFacts:
    """What one image's header says, checked; `None` is unknown, never a default.

    kind : "light", "bias", "dark" or "flat". observation_time : aware UTC start. mjd_utc : mid-exposure.
    ra_deg, dec_deg : ICRS of the image centre. site_longitude_deg : east positive.
    saturation : in `saturation_unit`, "data" (the unit of the pixels as read) or "raw_adu" (before the file's own
    rescaling by BSCALE). pedestal_adu : to be added to pixels for zero-based counts, as the header says; not applied.
    wcs_quality : "header" (from the file, checked) or "nominal" (pointing and scale only, north up).
    camera_serial, gain_setting, offset_setting, window : what tells one camera and its setting from another; `window`
    is the first pixel read out, "x,y" as the header counts. calibrated : of "bias", "dark", "flat" what was taken off
    before delivery. bayer_pattern : the colours of the mosaic's first 2 x 2 pixels, row by row; None for one colour.
    pixel_unit : as the header states it: "adu", "electron", "adu/s", "electron/s"; None where it does not.
    profile : the name of the instrument's profile that took part, "" for none. origins : where each fact comes from.
    doubts : what contradicts them, and what was guessed.
    """

    kind: str
    width: int
    height: int
    object_name: str | None = None
    ra_deg: float | None = None
    dec_deg: float | None = None
    observation_time: datetime | None = None
    mjd_utc: float | None = None
    exposure_s: float | None = None
    filter_band: str | None = None
    pixel_scale_arcsec: float | None = None
    airmass: float | None = None
    seeing_arcsec: float | None = None
    gain_e_per_adu: float | None = None
    read_noise_e: float | None = None
    saturation: float | None = None
    saturation_unit: str | None = None
    ccd_temperature_c: float | None = None
    binning: str | None = None
    camera: str | None = None
    telescope_name: str | None = None
    site_latitude_deg: float | None = None
    site_longitude_deg: float | None = None
    site_height_m: float | None = None
    readout_mode: str | None = None
    bzero: float = 0.0
    bscale: float = 1.0
    pedestal_adu: float | None = None
    biassec: str | None = None
    trimsec: str | None = None
    wcs_quality: str | None = None
    wcs: WCS | None = None
    camera_serial: str | None = None
    gain_setting: str | None = None
    offset_setting: str | None = None
    window: str | None = None
    calibrated: tuple[str, ...] = ()
    bayer_pattern: str | None = None
    pixel_unit: str | None = None
    profile: str = ""
    origins: Mapping[str, Origin] = field(default_factory=dict)
    doubts: tuple[Doubt, ...] = ()


@dataclass
class Notes:
    """What is noticed on the way through one header: where facts come from, and what is doubtful about them."""

    doubts: list[Doubt] = field(default_factory=list)
    origins: dict[str, Origin] = field(default_factory=dict)

    def doubt(
        self, code: str, fact: str, keyword: str, value: str | float | None, message: str, *, blocks: bool = False
    ) -> None:
        """Note a doubt, once for a keyword. blocks : it may move a result by more than is trusted."""
        if not any((known.code, known.fact, known.keyword) == (code, fact, keyword) for known in self.doubts):
            self.doubts.append(Doubt(code, fact, keyword, value, message, blocks))

    def impossible(self, fact: str, keyword: str, value: str | float | None) -> None:
        """Note a value that cannot be, which was therefore not used."""
        self.doubt("impossible_value", fact, keyword, value, f"{keyword} = {value} is impossible and was not used.")

    def came_from(self, fact: str, source: str, written: object = "", note: str = "") -> None:
        """Note where a fact comes from; what is noted later stands."""
        self.origins[fact] = Origin(source, "" if written is None else str(written), note)

    def answered(self, fact: str) -> None:
        """Drop what was doubtful about a fact that a person or a profile gives."""
        self.doubts[:] = [doubt for doubt in self.doubts if doubt.fact != fact]
