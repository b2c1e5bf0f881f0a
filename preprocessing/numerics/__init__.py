"""Pixels of one frame: calibration, masks, background, stars, PSF, astrometry."""

# Part of the identity of all products that are made here. Raise it with each change that alters them, so that a
# repeat makes them anew.
VERSION = 7
