"""Who reports, to whom, and whether at all: from the configuration, with what lacks in it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from django.conf import settings

from catalog.configuration.values import Snapshot, snapshot
from curation.models import ReportService
from curation.numerics.at_report import filters_of


class Sending(StrEnum):
    """Whether reports go out."""

    NEVER = "never"
    ON_REQUEST = "on_request"
    AT_ONCE = "at_once"


@dataclass(frozen=True)
class TnsSetup:
    """The Transient Name Server: the bot that asks and sends, and in whose name. The key is shown nowhere."""

    url: str
    bot_id: int
    bot_name: str
    key: str
    group_id: int
    source_id: int
    reporters: str
    filters: Mapping[str, int]

    @property
    def headers(self) -> dict[str, str]:
        """Return what the service knows the bot by."""
        marker = {"tns_id": self.bot_id, "type": "bot", "name": self.bot_name}
        return {"User-Agent": f"tns_marker{json.dumps(marker, separators=(',', ':'))}"}


@dataclass(frozen=True)
class MpcSetup:
    """The Minor Planet Center: where to, who submits, and in which queue."""

    submit_url: str
    status_url: str
    submitter: str
    observers: tuple[str, ...]
    measurers: tuple[str, ...]
    email: str
    object_type: str


def sending_to(service: str) -> Sending:
    """Return whether reports go to a service."""
    return Sending(snapshot()[f"reports.{service}_sending"])


def tns_setup() -> TnsSetup:
    """Return the setting of the Transient Name Server, whatever lacks."""
    config = snapshot()
    group = int(config["reports.tns_group_id"])
    try:
        filters = filters_of(config["reports.tns_filters"])
    except ValueError:
        filters = {}
    return TnsSetup(
        url=settings.ASTRID_TNS_URL,
        bot_id=int(config["reports.tns_bot_id"]),
        bot_name=config["reports.tns_bot_name"],
        key=config["reports.tns_api_key"],
        group_id=group,
        source_id=int(config["reports.tns_source_id"]) or group,
        reporters=config["reports.tns_reporters"],
        filters=filters,
    )


def mpc_setup() -> MpcSetup:
    """Return the setting of the Minor Planet Center, whatever lacks."""
    config = snapshot()
    return MpcSetup(
        submit_url=settings.ASTRID_MPC_SUBMIT_URL,
        status_url=settings.ASTRID_MPC_STATUS_URL,
        submitter=config["reports.mpc_submitter"],
        observers=_several(config["reports.mpc_observers"]),
        measurers=_several(config["reports.mpc_measurers"]),
        email=config["reports.mpc_email"],
        object_type=config["reports.mpc_object_type"],
    )


def lacks_to_prepare(service: str) -> list[str]:
    """Return what no report can be written without, a sentence for each key that is empty."""
    needed = {
        ReportService.TNS: ("reports.tns_group_id", "reports.tns_reporters"),
        ReportService.MPC: ("reports.mpc_submitter", "reports.mpc_observers", "reports.mpc_measurers"),
    }
    return _empty(snapshot(), needed[ReportService(service)]) + _unreadable(service)


def lacks_to_send(service: str) -> list[str]:
    """Return what nothing can be sent without."""
    needed = {
        ReportService.TNS: ("reports.tns_bot_id", "reports.tns_bot_name", "reports.tns_api_key"),
        ReportService.MPC: ("reports.mpc_email",),
    }
    return _empty(snapshot(), needed[ReportService(service)])


def _empty(config: Snapshot, names: tuple[str, ...]) -> list[str]:
    return [f"{name} is not set: an administrator sets it under Configuration." for name in names if not config[name]]


def _unreadable(service: str) -> list[str]:
    if service != ReportService.TNS:
        return []
    try:
        filters_of(snapshot()["reports.tns_filters"])
    except ValueError as error:
        return [f"reports.tns_filters cannot be read at “{error}”: write it as g=21 r=22."]
    return []


def _several(text: str) -> tuple[str, ...]:
    return tuple(filter(None, (part.strip() for part in text.split(","))))
