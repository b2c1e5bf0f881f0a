"""The disk is full in each stage that writes: it says so and waits, what was there is intact, and the night still ends.

One night meets one full disk after the other: every stage is stopped at its files until the one before has been seen.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.faults.products import KINDS, hashes
from tests.faults.system import System, assert_same, system, wait_for
from tests.webserver import content, serving

pytestmark = pytest.mark.faults

# Nothing dies here: a slow machine's late heartbeat is not to be one more fault.
VARIABLES = {"DJANGO_SETTINGS_MODULE": "tests.faults.full_settings", "ASTRID_JOB_LAPSE_SECONDS": "60"}
WRITTEN = (*KINDS, "incoming", "training")
TRAIN = ("train_model", "--queue", "--name", "small", "--model-version", "1")
WORK_OFF_TRAINING = "from catalog.work import jobs; jobs.do(jobs.claim_next(['train'], 'me'))"
# An upload is written by the web server, not by a job.
UPLOAD = """
import resource, sys
from pathlib import Path
from catalog.files.storage import StorageFull
from observations.delivery.incoming import submit_upload
from observations.numerics.fits.facts import Overrides
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
try:
    submit_upload([Path("{path}").read_bytes()], "light.fits", Overrides())
except StorageFull as full:
    print("full:", full)
"""
# Every column that says where a file lies.
PATHS = {
    "observations_observation": ("fits_file_path",),
    "observations_calibrationframe": ("fits_file_path",),
    "preprocessing_calibrationmaster": ("file_path",),
    "preprocessing_preprocessrun": ("processed_fits_path",),
    "differencing_reference": ("file_path",),
    "differencing_differencerun": ("difference_image_path", "significance_map_path", "reference_aligned_path"),
    "detection_model": ("model_path",),
    "detection_detection": ("cutouts_path",),
}


OUTCOMES = """SELECT DISTINCT j.job_type, a.outcome FROM catalog_jobattempt a
              JOIN catalog_processingjob j ON j.id = a.job_id"""


@dataclass(frozen=True)
class Full:
    """A disk that is full for files of a kind, while jobs of a type write them; `said` is SQL's LIKE of the reason."""

    job_type: str
    pattern: str
    said: str


# In the order in which a night meets them.
OF_A_NIGHT = [
    Full("receive", "raw/*", "night%.fits: No room for %.fits%"),
    Full("masters", "masters/*", "No room for bias-%.fits%"),
    Full("preprocess", "processed/*", "No room for %.fits%"),
    # Writes anew what is there.
    Full("register", "processed/*", "No room for %.fits%"),
    Full("difference", "references/*", f"No room for {'_' * 16}.fits%"),
    # The last of three files.
    Full("difference", "differences/*/.reference.fits.*", "No room for reference.fits%"),
    Full("detect", "models/*", "No room for realbogus-3-%"),
    Full("detect", "cutouts/*", "No room for %.npy%"),
    # What is fetched from an address.
    Full("download", "incoming/*", "No room for night1\\_light01.fits%"),
]
OF_TRAINING = [
    Full("train", "training/*", "No room for small-1.safetensors%"),
    Full("train", "models/*", "No room for small-1-%"),
]


@dataclass(frozen=True)
class Faultless:
    """A night on a disk with room: how it ends, and every content that files had after jobs of a type."""

    fingerprint: dict[str, Any]
    seen: dict[str, dict[str, set[str]]]

    def ever(self, kind: str) -> set[str]:
        return set().union(*(by_kind[kind] for by_kind in self.seen.values()))


def tell(where: Path, full: list[Full]) -> None:
    """Say which disks are full from now on."""
    beside = where.with_suffix(".new")
    beside.write_text(json.dumps({f.job_type: [g.pattern for g in full if g.job_type == f.job_type] for f in full}))
    beside.replace(where)


@pytest.fixture
def told(tmp_path: Path) -> Path:
    """Return the file that says which disks are full: none."""
    tell(tmp_path / "full.json", [])
    return tmp_path / "full.json"


@pytest.fixture
def faultless(few_frames: Path, told: Path, tmp_path: Path) -> Faultless:
    """Do the night, and a training, in the foreground on a disk with room."""
    with system(**VARIABLES, ASTRID_TEST_FULL=str(told), ASTRID_TEST_SEEN=str(tmp_path / "seen.json")) as whole:
        whole.manage("process", str(few_frames))
        fingerprint = whole.fingerprint()
        whole.manage(*TRAIN)
        whole.manage("shell", "--no-imports", "-c", WORK_OFF_TRAINING)
    seen = json.loads((tmp_path / "seen.json").read_text())
    found = Faultless(fingerprint, {name: {k: set(v) for k, v in kinds.items()} for name, kinds in seen.items()})
    assert found.fingerprint["detections"]
    assert found.seen["register"]["processed"] - found.seen["preprocess"]["processed"], "register writes anew"
    return found


def wait_until_full(broken: System, full: Full) -> None:
    """Wait until a job says that it found this disk full, and waits."""
    waiting = """SELECT count(*) FROM catalog_processingjob
                 WHERE job_type = %s AND status = 'pending' AND failure_code = 'disk_full' AND error_message LIKE %s"""
    wait_for(lambda: broken.query(waiting, full.job_type, full.said)[0][0], broken.jobs)


def spoilt(broken: System, faultless: Faultless, intact: dict[str, set[str]]) -> list[str]:
    """Return what is not as it should be: stumps, files of a content that they never have, rows without their file."""
    found = [str(path) for kind in WRITTEN for path in (broken.root / kind).rglob("*.part")]
    for kind, present in hashes(broken.root).items():
        strange = present - intact.get(kind, faultless.ever(kind))
        found += [f"{kind}: content {digest[:12]} is of no file of a night without faults" for digest in strange]
    for table, columns in PATHS.items():
        for column in columns:
            rows = broken.query(f"SELECT {column} FROM {table} WHERE {column} <> ''")
            found += [f"{table}: there is no {path}" for (path,) in rows if not (broken.root / path).is_file()]
    return found


def assert_intact(broken: System, faultless: Faultless, intact: dict[str, set[str]] | None = None) -> None:
    """See that nothing is spoilt but what is being written at this moment."""

    def look() -> bool:
        try:
            return not spoilt(broken, faultless, intact or {})
        except FileNotFoundError:
            return False

    wait_for(look, lambda: "\n".join(spoilt(broken, faultless, intact or {})))


def test_a_disk_that_is_full_for_each_stage_in_turn_stops_the_night_and_spoils_nothing(few_frames, faultless, told):
    light = few_frames / "night1_light01.fits"
    with serving({f"/{light.name}": content(light.read_bytes())}) as host:
        delivered = {"ASTRID_WATCH": str(few_frames), "ASTRID_OUTGOING_HOSTS": host}
        with system(**VARIABLES, ASTRID_TEST_FULL=str(told), **delivered) as broken:
            left = [*OF_A_NIGHT, *OF_TRAINING]
            tell(told, left)
            refused = broken.manage("shell", "--no-imports", "-c", UPLOAD.format(path=light)).stdout
            assert refused.startswith("full: No room for light.fits")
            assert not [path for path in (broken.root / "incoming").rglob("*") if path.is_file()]
            broken.start_all()
            broken.manage("ingest", f"http://{host}/{light.name}")
            while left:
                full = left.pop(0)
                if full == OF_TRAINING[0]:
                    broken.manage(*TRAIN)
                wait_until_full(broken, full)
                # What is to be written anew is still what it was.
                old = {"processed": faultless.seen["preprocess"]["processed"]} if full.job_type == "register" else None
                assert_intact(broken, faultless, old)
                tell(told, left)
            broken.wait_until_idle()
            assert_intact(broken, faultless)
            assert_same(broken.fingerprint(), faultless.fingerprint)
            outcomes = set(broken.query(OUTCOMES))
    assert {(full.job_type, "waiting") for full in [*OF_A_NIGHT, *OF_TRAINING]} <= outcomes
