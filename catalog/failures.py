"""Why work failed or waits: declared codes, and the exception that carries one to the border that records it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from django.db.models import TextChoices


class FailureCode(TextChoices):
    """Every reason the project knows. The sentence beside it (`error_message`) says what to do."""

    # What was delivered is not a usable file.
    NOT_FITS = "not_fits", "not a FITS file"
    TRUNCATED = "truncated", "file ends before its data do"
    BAD_BITPIX = "bad_bitpix", "BITPIX is not one of the standard's values"
    TOO_LARGE = "too_large", "larger than the configured limit once unpacked"
    NO_IMAGE = "no_image", "no two-dimensional image in the file"
    UNSUPPORTED_HEADER = "unsupported_header", "header cannot be read or is not supported"
    FILE_MISSING = "file_missing", "file is missing from storage"
    FILE_REMOVED = "file_removed", "file was removed by the retention that an administrator set"
    FILE_CHANGED = "file_changed", "file no longer matches its recorded hash"
    DOWNLOAD_FAILED = "download_failed", "the file could not be fetched"
    FILE_GONE = "file_gone", "its server no longer has the file"
    ADDRESS_REFUSED = "address_refused", "address not allowed for downloads"
    # What the header lacks or claims wrongly.
    NO_POINTING = "no_pointing", "no position in the header"
    NO_TIME = "no_time", "no time of observation in the header"
    NO_EXPOSURE = "no_exposure", "no exposure time in the header"
    NO_BAND = "no_band", "no filter in the header"
    NO_WCS = "no_wcs", "no world coordinates, and none could be determined"
    BAD_VALUE = "bad_value", "a value in the header is impossible"
    # What the pixels show.
    ALL_NAN = "all_nan", "every pixel is NaN"
    EMPTY_FRAME = "empty_frame", "no signal and no noise in the pixels"
    CLOUDED = "clouded", "too little light arrived"
    TRAILED = "trailed", "stars are trailed"
    SPOILT = "spoilt", "stray light spoilt the frame"
    SKY_TOO_BRIGHT = "sky_too_bright", "sky background too bright"
    MASKED = "masked", "too large a share of the pixels is masked"
    TOO_FEW_STARS = "too_few_stars", "too few stars to measure or to match"
    TOO_SHALLOW = "too_shallow", "predicted depth is below the limit"
    POOR_SEEING = "poor_seeing", "seeing too poor"
    # The comparison.
    NO_OVERLAP = "no_overlap", "no overlap with the reference"
    LOW_OVERLAP = "low_overlap", "too little overlap with the reference"
    NO_REGISTRATION = "no_registration", "stars of science and reference could not be matched"
    TOO_MANY_CANDIDATES = "too_many_candidates", "more candidates than a good subtraction can have"
    BAD_SUBTRACTION = "bad_subtraction", "noise of the difference is not as predicted"
    # What is waited for.
    WAITING_FOR_REFERENCE = "waiting_for_reference", "no overlapping reference yet"
    WAITING_FOR_CALIBRATION = "waiting_for_calibration", "no matching calibration frames yet"
    # The machine.
    DISK_FULL = "disk_full", "no disk space left"
    DISK_FAULT = "disk_fault", "a disk or folder cannot be read or written"
    STORAGE_UNREACHABLE = "storage_unreachable", "shared storage does not respond"
    NETWORK_FAULT = "network_fault", "another machine did not answer, or broke off"
    MODEL_MISSING = "model_missing", "weights of the model are missing or changed"
    OUT_OF_MEMORY = "out_of_memory", "not enough memory"
    TIMED_OUT = "timed_out", "took longer than allowed"
    WORKER_LOST = "worker_lost", "the worker process disappeared"
    CANCELLED = "cancelled", "cancelled by a person"
    BAD_CONFIGURATION = "bad_configuration", "invalid configuration value"
    INTERNAL_ERROR = "internal_error", "a fault in the program"


# What to do next, where the failure itself could tell no more than what had happened.
ADVICE: Mapping[str, str] = MappingProxyType(
    {
        FailureCode.DISK_FULL: "Free some disk space: the job is waiting for it and then continues automatically.",
        FailureCode.DISK_FAULT: (
            "Check that the disk is in order and that the folders of the data belong to the one who runs AstrID; then "
            "try it again."
        ),
        FailureCode.NETWORK_FAULT: (
            "Check the address in a browser. Try it again later, or download the file and upload it here."
        ),
        FailureCode.STORAGE_UNREACHABLE: (
            "The job is waiting for the storage to respond and then continues automatically."
        ),
        FailureCode.OUT_OF_MEMORY: "Try again while fewer jobs are running, or on a machine with more memory.",
        FailureCode.TIMED_OUT: "Its log shows what took so long. Try again.",
        FailureCode.INTERNAL_ERROR: (
            "This is a fault in the program, not in the frame. Try again; if it fails in the same way, "
            "report it with its log and traceback."
        ),
    }
)


# These end by themselves when a person or the machine has put things right: the work waits for that.
WAITS_OUT = frozenset({FailureCode.DISK_FULL, FailureCode.STORAGE_UNREACHABLE, FailureCode.MODEL_MISSING})
# These may be over in a moment, or never: the work is tried again as often as after a fault of the program.
PASSING = frozenset({FailureCode.NETWORK_FAULT, FailureCode.DISK_FAULT})


def failure_code_choices() -> list[tuple[str, str]]:
    """Return the codes as model choices; passed as a callable so that a new code needs no migration."""
    return list(FailureCode.choices)


class NotPossible(Exception):
    """What was ordered is not possible in the state that something is in; the text says why and what to do."""


class StageFailure(Exception):
    """An expected end of one unit of work: the frame or its circumstances are at fault, not the program.

    retry_after_s : how long another machine asks to be left alone before the next try.
    """

    def __init__(self, code: FailureCode, sentence: str, *, retry_after_s: float | None = None) -> None:
        if not sentence:
            raise ValueError("a failure needs a sentence that says why and what to do")
        super().__init__(sentence)
        self.code = FailureCode(code)
        self.sentence = sentence
        self.retry_after_s = retry_after_s
