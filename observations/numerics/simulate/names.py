"""How frames of a simulation are known, wherever they come by."""

from __future__ import annotations

# Headers of simulated frames name this telescope, and no other telescope is named so.
TELESCOPE = "Synthetic 0.4m"
