"""Load orbits of the Solar System anew from the address that is set: what frames get next is computed by them."""

from __future__ import annotations

from django.conf import settings

from catalog.failures import FailureCode, StageFailure
from catalog.files.addresses import AddressRefused
from catalog.files.outgoing import DownloadFailed
from catalog.work import hold
from detection.known.fetching import file_of, load_address
from detection.known.loading import LoadRefused


def run(file_name: str) -> None:
    """Load the file of this name from its address; one that has not changed is left as it is."""
    address = next((one for one in settings.ASTRID_ORBITS if file_of(one) == file_name), None)
    if address is None:
        raise StageFailure(FailureCode.BAD_CONFIGURATION, f"ASTRID_ORBITS names no {file_name} any more.")
    try:
        load_address(address, lambda _row: hold.check())
    except AddressRefused as refusal:
        raise StageFailure(FailureCode.ADDRESS_REFUSED, str(refusal)) from refusal
    except DownloadFailed as failure:
        code = FailureCode.NETWORK_FAULT if failure.is_transient else FailureCode.DOWNLOAD_FAILED
        raise StageFailure(code, f"{file_name}: {failure}") from failure
    except (LoadRefused, EOFError) as failure:
        raise StageFailure(FailureCode.DOWNLOAD_FAILED, f"{file_name}: {failure}") from failure
