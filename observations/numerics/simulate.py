"""Seeded synthetic nights with truth."""

from observations.numerics.simulate_pair import Pair, PairParameters, PairTransients, simulate_pair

__all__ = ["Pair", "PairParameters", "PairTransients", "simulate_pair"]
