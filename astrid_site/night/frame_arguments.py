"""The arguments by which a command is told what the frames' headers leave out."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from typing import TypedDict

from django.core.management import CommandError

from observations.numerics.fits.facts import Overrides


class FrameArguments(TypedDict):
    """What `add_frame_arguments` declares, as a command is given it."""

    ra: float | None
    dec: float | None
    pixel_scale: float | None
    band: str | None
    exposure: float | None
    time: str | None
    utc_offset: float | None


NAMES = ("ra", "dec", "pixel_scale", "band", "exposure", "time", "utc_offset")


def add_frame_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare --ra, --dec, --pixel-scale, --band, --exposure, --time and --utc-offset."""
    parser.add_argument("--ra", type=float, metavar="DEG", help="right ascension of the frames' centre, ICRS")
    parser.add_argument("--dec", type=float, metavar="DEG", help="declination of the frames' centre, ICRS")
    parser.add_argument("--pixel-scale", type=float, metavar="ARCSEC", help="arcseconds per pixel")
    parser.add_argument("--band", metavar="NAME", help="filter of the frames")
    parser.add_argument("--exposure", type=float, metavar="S", help="exposure time if the header has none")
    parser.add_argument("--time", metavar="TIME", help="UTC start if the header has none: 2026-01-31T22:04:10")
    parser.add_argument(
        "--utc-offset", type=float, metavar="HOURS",
        help="local time minus UTC, for clocks that are not said to be UTC: -3 in Argentina",
    )  # fmt: skip


def overrides_of(options: FrameArguments) -> Overrides:
    """Check what was given on the command line; bad usage ends with exit status 2."""
    try:
        start = datetime.fromisoformat(options["time"]) if options["time"] else None
        if start is not None:
            start = start.replace(tzinfo=UTC) if start.tzinfo is None else start.astimezone(UTC)
        return Overrides(
            ra_deg=options["ra"],
            dec_deg=options["dec"],
            pixel_scale_arcsec=options["pixel_scale"],
            band=options["band"],
            exposure_s=options["exposure"],
            observation_time=start,
            utc_offset_hours=options["utc_offset"],
        )
    except ValueError as error:
        raise CommandError(f"{error}.", returncode=2) from error
