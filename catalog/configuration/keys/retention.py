"""Keys of how long what is stored is kept."""

from __future__ import annotations

from catalog.configuration.key import ConfigKey

_LONGEST_DAYS = 36_500


def _days(name: str, what: str) -> ConfigKey:
    return ConfigKey(f"retention.{name}", 0, f"{what} 0: for ever.", 0, _LONGEST_DAYS, is_science=False)


RETENTION = (
    ConfigKey(
        "retention.paused",
        False,
        "Whether retention rests: nothing is removed until it is false again.",
        is_science=False,
    ),
    _days(
        "raw_days",
        "Days that raw frames are kept after they were delivered. Without its raw frame an exposure cannot be "
        "processed again; its row, its measurements and its preview stay.",
    ),
    _days("processed_days", "Days that calibrated frames are kept after they were made; with raw frames they can be "
          "made again."),
    _days(
        "difference_days",
        "Days that difference, score and aligned reference images are kept after they were made. Places are not "
        "measured any more in frames without them.",
    ),
    _days("cutouts_days", "Days that the cutouts of detections are kept that nobody judged and that await no review."),
    _days(
        "candidate_days",
        "Days that candidates are kept, with their scores, that became no detection and are in no tracklet.",
    ),
    _days("job_days", "Days that jobs which have ended are kept, with their logs."),
)  # fmt: skip
