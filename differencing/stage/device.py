"""Where the subtraction transforms: on the processor, or on a GPU of this machine."""

from __future__ import annotations

import torch
from django.conf import settings

from catalog.failures import FailureCode, StageFailure


def usable_device() -> str:
    """Return the device that ASTRID_DEVICE names; StageFailure `bad_configuration` where this machine has none such."""
    name = str(settings.ASTRID_DEVICE)
    try:
        torch.zeros(1, device=name)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        reason = str(error).partition("\n")[0].rstrip(".")
        raise StageFailure(
            FailureCode.BAD_CONFIGURATION,
            f"ASTRID_DEVICE is {name}, which torch cannot use on this machine ({reason}). Set it to cpu, or to a GPU "
            "that the installed torch knows, and try the job again.",
        ) from error
    return name
