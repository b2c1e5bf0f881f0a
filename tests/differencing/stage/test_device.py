import pytest

from catalog.failures import FailureCode, StageFailure
from differencing.stage.device import usable_device


def test_without_a_word_the_processor_transforms(settings):
    assert settings.ASTRID_DEVICE == usable_device() == "cpu"


@pytest.mark.parametrize("name", ["cuda:99", "abacus"])
def test_a_device_that_is_not_there_is_refused_by_name(settings, name):
    settings.ASTRID_DEVICE = name
    with pytest.raises(StageFailure, match=f"ASTRID_DEVICE is {name}, which torch cannot use") as refused:
        usable_device()
    assert refused.value.code == FailureCode.BAD_CONFIGURATION
