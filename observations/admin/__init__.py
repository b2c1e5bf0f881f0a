"""Frames in the admin, and the columns and bases that later apps show them with."""

from observations.admin import archives, claims
from observations.admin.frames import SEARCHES_SKY, SkyAdmin, frame_link, position

__all__ = ["SEARCHES_SKY", "SkyAdmin", "archives", "claims", "frame_link", "position"]
