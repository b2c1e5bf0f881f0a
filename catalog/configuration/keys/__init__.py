"""Every configuration key of the system: type, bounds, default, and the sentence that explains it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from catalog.configuration.key import ConfigKey, ConfigRefused, ConfigValue
from catalog.configuration.keys.alerts import ALERTS
from catalog.configuration.keys.backup import BACKUP
from catalog.configuration.keys.context import CONTEXT
from catalog.configuration.keys.curation import CURATION
from catalog.configuration.keys.detection import DETECTION, VETOES
from catalog.configuration.keys.differencing import DIFFERENCING
from catalog.configuration.keys.ingest import INGEST
from catalog.configuration.keys.known_objects import KNOWN_OBJECTS
from catalog.configuration.keys.people import PEOPLE
from catalog.configuration.keys.preprocessing import PREPROCESSING
from catalog.configuration.keys.reports import REPORTS
from catalog.configuration.keys.retention import RETENTION

__all__ = ["DECLARED", "ConfigKey", "ConfigRefused", "ConfigValue", "check_value"]

_ALL = (
    *INGEST, *PREPROCESSING, *DIFFERENCING, *DETECTION, *VETOES, *KNOWN_OBJECTS, *CONTEXT, *CURATION, *ALERTS,
    *REPORTS, *PEOPLE, *RETENTION, *BACKUP,
)  # fmt: skip
DECLARED: Mapping[str, ConfigKey] = MappingProxyType({key.name: key for key in _ALL})


def check_value(name: str, value: object) -> ConfigValue:
    """Return the value in the declared type, or refuse key or value with a reason."""
    key = DECLARED.get(name)
    if key is None:
        raise ConfigRefused(f"There is no configuration key {name!r}.")
    return key.checked(value)
