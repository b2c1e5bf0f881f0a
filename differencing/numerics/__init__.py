"""Pixels of two frames: alignment, stacks, ZOGY, peaks and their measurement, tracklets."""

# Part of the identity of all products that are made here. Raise it with each change that alters them, so that a
# repeat makes them anew.
VERSION = 6
