"""A value that a key declares stands in no parameter class a second time."""

from __future__ import annotations

from dataclasses import MISSING, fields

import pytest

from differencing.numerics.parameters import ZogyParameters
from differencing.numerics.stack import StackParameters
from differencing.numerics.tracklets import TrackletParameters
from preprocessing.numerics.clean import Parameters
from preprocessing.numerics.quality import Limits

# What no key says: a choice of the algorithm, with its reason beside it.
OWN = {
    ZogyParameters: {"max_stars", "shift_floor_px", "max_flux_scatter"},
    StackParameters: {"pixel_tolerance", "light_tolerance", "wing_tolerance", "reach_px"},
    TrackletParameters: {"same_px"},
    Parameters: {"psf_degree"},
    Limits: {"structure"},
}


@pytest.mark.parametrize("parameters", OWN, ids=lambda each: each.__name__)
def test_what_the_configuration_says_has_no_default_in_the_numerics(parameters):
    with_default = {field.name for field in fields(parameters) if field.default is not MISSING}
    assert with_default == OWN[parameters]
