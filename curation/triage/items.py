"""One item as the page of triage keeps it: what its script draws with, and its facts as HTML."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any
from uuid import UUID

from django.template.loader import render_to_string

from catalog.models import User
from catalog.writing import number, sexagesimal_dec, sexagesimal_ra, signed, utc
from curation.detections.epochs import Epoch
from curation.judgements.settled import Settled, settled_by
from curation.judgements.verdicts import Judgement
from curation.models import Deferral, ValidationEvent
from curation.triage.review import Member, Review
from detection.cutouts.epochs import address_of
from detection.cutouts.overlay import place_in
from detection.models import Detection
from observations.numerics.site import time_of


def item_of(review: Review, user: User, titles: Mapping[str, str]) -> dict[str, Any]:
    """Return what the script needs of one item for a person; `titles` are those of the labels."""
    row, candidate = review.detection, review.detection.candidate
    return {
        "id": str(row.pk),
        "name": name_of(row),
        "score": row.confidence_score,
        **_drawn(review.shown),
        "all_pixels": _all_pixels_url(review),
        "scale_arcsec": row.observation.pixel_scale,
        "warning": "Negative: fainter than in the reference" if candidate and candidate.is_negative else "",
        "brief": _brief(review),
        "own": _own(review, titles),
        "context": context_of(review),
        "epochs": epochs_of(review),
        "unseen": [str(pk) for pk in review.unseen],
        "html": render_to_string("curation/_item.html", facts_of(review, titles) | {"user": user}),
    }


def name_of(row: Detection) -> str:
    """Return what a detection is called where people are told of it: its position."""
    return f"{sexagesimal_ra(row.ra)} {sexagesimal_dec(row.dec)}"


def context_of(review: Review) -> dict[str, object]:
    """Return what an answer says of what was known to its person, beside the images."""
    return {
        "blind": review.answers is None,
        "answers_shown": len(review.answers or []),
        "score_shown": review.detection.confidence_score is not None,
        "cutouts": review.shown.version,
        "origin": review.detection.origin,
    }


def _drawn(member: Member) -> dict[str, object]:
    """Return where the pixels of a detection are, and how they are drawn."""
    x, y = place_in(member.detection)
    return {"pixels": _pixels_url(member), "x": x, "y": y, "turn": asdict(member.turn)}


def epochs_of(review: Review) -> list[dict[str, object]]:
    """Return the epochs of an object with several, by time; one without a detection has no key."""
    members = {member.detection.pk: member for member in review.members}
    shown = [epoch for epoch in review.epochs if epoch.detection is None or epoch.detection.pk in members]
    if len(shown) < 2:
        return []
    # As short as it tells them apart.
    days = {epoch.frame.middle.date() for epoch in shown}
    minutes = {f"{epoch.frame.middle:%F %H:%M}" for epoch in shown}
    when = ("%d %b " if len(days) > 1 else "") + ("%H:%M" if len(minutes) == len(shown) else "%H:%M:%S")
    return [_epoch(epoch, members, epoch.frame.middle.strftime(when)) for epoch in shown]


def _epoch(epoch: Epoch, members: Mapping[UUID, Member], when: str) -> dict[str, object]:
    words = {"when": when, "band": epoch.frame.band}
    if epoch.detection is None:
        limit = f"> {number(epoch.limiting_mag, 1)}" if epoch.limiting_mag is not None else epoch.trouble or "not seen"
        return {"id": None, **words, "brightness": limit}
    member = members[epoch.detection.pk]
    candidate = member.detection.candidate
    snr = f"S/N {signed(candidate.snr, 0)}" if candidate and candidate.snr is not None else ""
    brightness = f"{number(epoch.mag, 1)} mag" if epoch.mag is not None else snr
    return {
        "id": str(member.detection.pk),
        **words,
        "brightness": brightness,
        "is_open": member.is_open,
        **_drawn(member),
    }


def said_of(review: Review, titles: Mapping[str, str]) -> dict[str, Any]:
    """Return what people say of a detection now, as far as this person may see it, and their own answer."""
    return {
        "said": render_to_string("curation/_said.html", {"answers": _answers(review, titles)}),
        "own": _own(review, titles),
    }


def _own(review: Review, titles: Mapping[str, str]) -> dict[str, str] | None:
    own = review.own
    return {"id": str(own.pk), "said": said(own, titles)} if own else None


def said(event: ValidationEvent | Judgement, titles: Mapping[str, str]) -> str:
    """Return what somebody said, in words."""
    verdict = "real" if event.is_valid else "bogus"
    label = titles.get(event.label, event.label)
    return f"{verdict}, {label} ({event.confidence_level})" if label else f"{verdict} ({event.confidence_level})"


def _brief(review: Review) -> list[str]:
    """Return what small screens show beside the images."""
    row, candidate = review.detection, review.detection.candidate
    lines = [] if row.confidence_score is None else [f"Score {number(row.confidence_score, 3)}"]
    told = row.prediction_metadata.get("told") or {}
    lines += [f"{one['name']} {number(one['value'], 3)}" for one in told.get("scores", [])[:1]]
    if candidate and candidate.snr is not None:
        lines.append(f"S/N {signed(candidate.snr)}")
    if review.now.mag is not None:
        lines.append(f"{number(review.now.mag)} mag")
    lines.append(f"{row.observation.filter_band} {utc(time_of(row.observation.mjd_utc))[:16]}")
    # That it is negative stands over the images.
    return lines + [flag.word for flag in candidate.flags if flag.name != "negative"] if candidate else lines


def facts_of(review: Review, titles: Mapping[str, str]) -> dict[str, Any]:
    """Return what the facts about an item are written from."""
    row, candidate = review.detection, review.detection.candidate
    seen = sum(epoch.detection is not None for epoch in review.epochs)
    curve = review.curve
    return {
        "review": review,
        "detection": row,
        "observation": row.observation,
        "candidate": candidate,
        "star_fwhm_px": review.now.fwhm_px,
        "mag_system": review.now.system,
        "now": review.now,
        "middle": time_of(row.observation.mjd_utc),
        "masked_percent": _percent(candidate.masked_share) if candidate else None,
        "curve": curve,
        "kinds": {mark.kind for mark in curve.marks} if curve else set(),
        "seen": seen,
        "unseen": sum(epoch.detection is None and not epoch.trouble for epoch in review.epochs),
        "motion": review.motion,
        "settled": _settled(review),
        "known": review.known,
        "context": review.context,
        "answers": _answers(review, titles),
        "deferrals": _deferrals(review),
    }


def _percent(share: float | None) -> float | None:
    return None if share is None else 100.0 * share


def _deferrals(review: Review) -> list[Deferral]:
    """Return what people put off of the object and why, once for each press of a key."""
    return list({one.group: one for one in review.deferrals}.values())


def _settled(review: Review) -> Settled | None:
    """Return what is settled about the object by earlier answers, as far as this person may see them."""
    answers: dict[UUID, list[ValidationEvent]] = {}
    for event in review.answers or []:
        answers.setdefault(event.detection_id, []).append(event)
    return (
        settled_by(review.detection.pk, [member.detection for member in review.members], answers) if answers else None
    )


def _answers(review: Review, titles: Mapping[str, str]) -> list[tuple[ValidationEvent, str]] | None:
    """Return what people say, each with the latest event; what one person says of several epochs is told once."""
    if review.answers is None:
        return None
    told: dict[tuple[UUID, str], list[ValidationEvent]] = {}
    for event in review.answers:
        told.setdefault((event.validator_id, said(event, titles)), []).append(event)
    return [
        (events[-1], f"{words}, {len(events)} epochs" if len(events) > 1 else words)
        for (_, words), events in told.items()
    ]


def _pixels_url(member: Member) -> str | None:
    """Return where the pixels of one epoch are, all of them."""
    return None if member.version is None else address_of([(member.detection.pk, member.version)])


def _all_pixels_url(review: Review) -> str | None:
    """Return where the pixels of an item are: what is shown first, and what the strip shows of its other epochs."""
    if review.shown.version is None:
        return None
    others = [member for member in review.members if member != review.shown and member.version]
    return address_of([(member.detection.pk, member.version) for member in (review.shown, *others)])
