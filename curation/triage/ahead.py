"""How many items a window may have ready before they are needed: enough for an outage, never all that is left.

Each window has an equal share of what is left, after a reserve that whoever comes next begins with; one that holds more
because somebody has come since gives the rest back. So nobody can starve others, however many they are.
"""

from __future__ import annotations

from django.db.models.functions import Now

from catalog.configuration.values import snapshot
from curation.judgements.leases import Holder
from curation.models import Lease

# So many lie ready where there are enough for everybody: without them each answer would wait for the network.
_LEAST = 4
# So many stay free for somebody who comes, or half of what is left.
_RESERVE = 8
# What is held beside those ahead: the one on screen, some that were passed over, and those that come in one bundle.
_BESIDE = 12


def windows_here(holder: Holder) -> int:
    """Return how many windows hold something now, of whomever, this one included."""
    others = Lease.objects.filter(expires_at__gt=Now()).exclude(window=holder.window)
    return 1 + others.values("window").distinct().count()


def most_ahead(remaining: int, windows: int) -> int:
    """Return how many may lie ready in one window, of so many that are left for so many windows."""
    share = (remaining - min(_RESERVE, remaining // 2)) // windows
    return min(max(share, min(_LEAST, remaining // windows)), int(snapshot()["curation.fetched_ahead"]))


def may_take(asked: int, ahead: int, held: int) -> int:
    """Return how many of those that a window asks for it gets; one at any rate, so that nobody waits for nothing."""
    return min(asked, max(ahead + _BESIDE - held, 1))
