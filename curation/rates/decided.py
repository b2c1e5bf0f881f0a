"""Which candidates the score decides about."""

from __future__ import annotations

from django.db.models import Q

# Neither a flag nor a veto, rejecting or not: of the others the score does not decide.
CLEAN = Q(candidate__is_reference_ghost=False, candidate__is_dipole=False, candidate__vetoes=[])
