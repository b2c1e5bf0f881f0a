"""Keys of what is reported to the Minor Planet Center and the Transient Name Server."""

from __future__ import annotations

from catalog.configuration.key import ConfigKey

_WHEN = ("never", "on_request", "at_once")
_NAME = 100


def _text(name: str, explanation: str, longest: int = _NAME, default: str = "") -> ConfigKey:
    return ConfigKey(name, default, explanation, is_science=False, longest=longest)


REPORTS = (
    ConfigKey(
        "reports.mpc_sending",
        "never",
        "Whether reports go to the Minor Planet Center: never, on a person's request, or as soon as one is prepared.",
        choices=_WHEN,
        is_science=False,
    ),
    ConfigKey(
        "reports.tns_sending",
        "never",
        "Whether reports go to the Transient Name Server: never, on a person's request, or as soon as one is prepared.",
        choices=_WHEN,
        is_science=False,
    ),
    _text("reports.mpc_submitter", "Who submits to the Minor Planet Center, as A. Observer."),
    _text("reports.mpc_observers", "Who observed, as A. Observer, with commas between.", 500),
    _text("reports.mpc_measurers", "Who measured, as A. Observer, with commas between.", 500),
    _text("reports.mpc_email", "Where the Minor Planet Center acknowledges what it got.", 200),
    ConfigKey(
        "reports.mpc_object_type",
        "unclassified",
        "In which queue of the Minor Planet Center tracklets without a known body are put.",
        choices=("unclassified", "neo candidate", "new comet", "tno"),
        is_science=False,
    ),
    ConfigKey(
        "reports.tns_bot_id", 0, "Number of the bot at the Transient Name Server; 0 for none.", 0, 1e9, is_science=False
    ),
    _text("reports.tns_bot_name", "Name of the bot at the Transient Name Server."),
    ConfigKey("reports.tns_api_key", "", "Key of the bot.", is_science=False, is_secret=True),
    ConfigKey(
        "reports.tns_group_id", 0, "Number of the group that reports; 0 for none.", 0, 1e9, is_science=False
    ),
    ConfigKey(
        "reports.tns_source_id",
        0,
        "Number of the group whose data they are; 0 for that which reports.",
        0,
        1e9,
        is_science=False,
    ),
    _text("reports.tns_reporters", "Who reports, as A. Observer (Institute), B. Observer (Institute).", 500),
    _text(
        "reports.tns_filters",
        "Numbers of the filters at the Transient Name Server, as band=number with spaces between.",
        500,
        "u=20 g=21 r=22 i=23 z=24",
    ),
)  # fmt: skip
