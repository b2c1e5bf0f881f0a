"""Numbers of a normal distribution that every measurement shares."""

from __future__ import annotations

# A median absolute deviation times this is a sigma.
MAD_TO_SIGMA = 1.4826
# A Gaussian's full width at half maximum in sigma.
FWHM_PER_SIGMA = 2.3548
