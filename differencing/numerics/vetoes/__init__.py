"""Reasons for which a peak of a difference is no new source: each with its number and its sentence."""
