"""What a detection is taken for before a person has said it: by motion, catalogues, history, and last by its stamp."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from detection.models import DetectionType

# A stamp by itself decides where it says this or more.
_CONVINCED = 0.5


@dataclass(frozen=True)
class Facts:
    """What is known of a detection.

    stamp : the network's probabilities of types, if it is real; empty where it gives none. star, variable, host : what
    catalogues hold there, by name. nights : on how many nights something was seen there, this one included. has_both :
    whether it was seen brighter and fainter than the reference.
    """

    moves: bool = False
    is_known_body: bool = False
    is_negative: bool = False
    star: str = ""
    variable: str = ""
    host: str = ""
    nights: int = 1
    has_both: bool = False
    stamp: Mapping[str, float] = field(default_factory=dict)


def type_of(facts: Facts) -> tuple[DetectionType, str]:
    """Return the type and why, as a sentence.

    One epoch cannot tell a supernova: what is new at a galaxy is called one from the second night on.
    """
    nights = f"seen on {facts.nights} nights"
    if facts.moves or facts.is_known_body:
        return DetectionType.TRANSIENT, "It moves." if facts.moves else "A known body is there."
    if facts.variable:
        return DetectionType.VARIABLE, f"{facts.variable} is there, which is known to vary."
    if facts.has_both:
        return DetectionType.VARIABLE, "It was seen brighter and fainter than the reference."
    if facts.star:
        return DetectionType.VARIABLE, f"{facts.star} is there, and has changed."
    if _says(facts, DetectionType.VARIABLE) and not facts.host:
        return DetectionType.VARIABLE, "By its stamp: a star of the reference has changed."
    if facts.is_negative:
        return DetectionType.UNKNOWN, "It is fainter than in the reference, and no catalogue tells what it is."
    if facts.host or _says(facts, DetectionType.SUPERNOVA):
        where = f"new at {facts.host}" if facts.host else "by its stamp new at a galaxy"
        if facts.nights > 1:
            return DetectionType.SUPERNOVA, f"{where[0].upper()}{where[1:]}, and {nights}."
        return DetectionType.TRANSIENT, f"{where[0].upper()}{where[1:]}; one night cannot tell a supernova."
    if _says(facts, DetectionType.TRANSIENT):
        return DetectionType.TRANSIENT, "By its stamp: nothing was there before."
    return DetectionType.UNKNOWN, "Nothing tells what it is."


def _says(facts: Facts, kind: DetectionType) -> bool:
    return facts.stamp.get(kind, 0.0) >= _CONVINCED
