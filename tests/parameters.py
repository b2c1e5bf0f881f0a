"""What the numerics are told by the declared defaults, as the stages tell it."""

from __future__ import annotations

from catalog.configuration.values import defaults
from differencing.numerics.stack import StackParameters
from differencing.parameters import zogy_parameters
from differencing.stage.tracklets import tracklet_parameters
from preprocessing.stage.preprocess import limits, parameters_of

PREPROCESSING = parameters_of(defaults())
LIMITS = limits(defaults())
ZOGY = zogy_parameters(defaults())
STACK = StackParameters(clip_sigma=defaults()["differencing.stack_rejection_sigma"])
TRACKLETS = tracklet_parameters(defaults())
THRESHOLD_SIGMA: float = defaults()["differencing.threshold_sigma"]
