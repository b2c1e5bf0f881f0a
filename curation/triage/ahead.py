"""How many items a window may have ready before they are needed: enough for an outage, never all that is left.

Each window has an equal share of what is left, after a reserve that whoever comes next begins with; one that holds more
because somebody has come since gives the rest back. So nobody can starve others, however many they are.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models.functions import Now

from catalog.configuration.values import snapshot
from curation.judgements.leases import Holder
from curation.models import Lease

# So many are held where there are enough for everybody: without them each answer would wait for the network.
_LEAST = 5
# So many stay free for somebody who comes, or half of what is left.
_RESERVE = 4
# So many are asked for at once where that exceeds no share: a request for each would be many.
BUNDLE = 16


@dataclass(frozen=True)
class Bounds:
    """How many items lie ready in a window at least, and how many are then asked for at once."""

    ahead: int
    bundle: int

    def may_take(self, asked: int, held: int) -> int:
        """Return how many of those that a window asks for it gets; whoever holds nothing gets one."""
        return min(asked, max(self.ahead + self.bundle - held, 0 if held else 1))


def windows_here(holder: Holder) -> int:
    """Return how many windows hold something now, of whomever, this one included."""
    others = Lease.objects.filter(expires_at__gt=Now()).exclude(window=holder.window)
    return 1 + others.values("window").distinct().count()


def bounds(remaining: int, windows: int) -> Bounds:
    """Return the bounds of one window, of so many items that are left for so many windows."""
    share = (remaining - min(_RESERVE, remaining // 2)) // windows
    share = max(share, min(_LEAST, remaining // windows))
    # The one on screen is part of the share.
    ahead = max(min(share - 1, int(snapshot()["curation.fetched_ahead"])), 0)
    return Bounds(ahead, min(max(share - ahead, 1), BUNDLE))
