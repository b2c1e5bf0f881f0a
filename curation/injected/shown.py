"""The rules by which candidates are shown to who judges, for the apps that have them."""

from __future__ import annotations

from curation.injected.given import candidates_given, put_into
from curation.judgements.unmarked import candidates_found_as, cover_candidates, scores_shown
from differencing.judges import Rules

RULES = Rules(cover_candidates, candidates_found_as, scores_shown, candidates_given, put_into)
