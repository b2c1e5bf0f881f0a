import pytest

from detection.models import DetectionType
from detection.sources.kinds import Facts, type_of

AT_A_GALAXY = {"supernova": 0.8, "variable": 0.1, "transient": 0.1}
A_STAR = {"supernova": 0.1, "variable": 0.8, "transient": 0.1}
ALONE = {"supernova": 0.1, "variable": 0.1, "transient": 0.8}


@pytest.mark.parametrize(
    ("facts", "expected", "why"),
    [
        (Facts(moves=True, stamp=A_STAR, star="HD 1"), DetectionType.TRANSIENT, "moves"),
        (Facts(is_known_body=True), DetectionType.TRANSIENT, "known body"),
        (Facts(variable="RR Lyr", stamp=ALONE), DetectionType.VARIABLE, "RR Lyr"),
        (Facts(star="HD 1", stamp=AT_A_GALAXY), DetectionType.VARIABLE, "HD 1"),
        (Facts(has_both=True, stamp=AT_A_GALAXY, host="NGC 1", nights=3), DetectionType.VARIABLE, "fainter"),
        (Facts(stamp=A_STAR), DetectionType.VARIABLE, "stamp"),
        # What looks like a star in the reference may be a galaxy's nucleus, where a catalogue has the galaxy.
        (Facts(stamp=A_STAR, host="NGC 1"), DetectionType.TRANSIENT, "NGC 1"),
        (Facts(stamp=AT_A_GALAXY), DetectionType.TRANSIENT, "one night"),
        (Facts(stamp=AT_A_GALAXY, nights=2), DetectionType.SUPERNOVA, "2 nights"),
        (Facts(host="NGC 1", nights=2), DetectionType.SUPERNOVA, "NGC 1"),
        (Facts(stamp=ALONE, nights=5), DetectionType.TRANSIENT, "before"),
        (Facts(stamp=ALONE, is_negative=True), DetectionType.UNKNOWN, "fainter"),
        (Facts(), DetectionType.UNKNOWN, "Nothing"),
        (Facts(stamp={"supernova": 0.4, "variable": 0.3, "transient": 0.3}), DetectionType.UNKNOWN, "Nothing"),
    ],
)
def test_motion_catalogues_and_history_come_before_the_stamp(facts, expected, why):
    kind, reason = type_of(facts)
    assert kind == expected
    assert why in reason
