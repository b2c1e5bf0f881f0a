"""`make bench-loop`: that what people answer makes the next night better, proved from end to end.

A site of its own; nights in which the model that comes with AstrID errs; answers through the pages by somebody who
knows the truth; a data set, a training, a shadow, a threshold, and the model in use, by an administrator's buttons; and
then nights that nobody has answered about, scored by both models. A folder that is named is kept, and what was done in
it is not done again.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import cast

from playwright.sync_api import Browser

from benchmarks.folders import kept_or_passing
from benchmarks.loop import people, report, site
from benchmarks.loop.judging import scored, verdict_of
from benchmarks.loop.nights import Field, Truth

ANSWERS, MISSED = 300, 0.05
# What an administrator has chosen: the model and nobody else decides about flashes, as on a site that has lost
# something real to those vetoes; and some of what is hidden is reviewed, so that rates can be known.
_CHOSEN = {
    "detection.veto_flash_train": False, "detection.veto_seen_once": False, "detection.hidden_share": 0.1,
}  # fmt: skip
_TRAINS = 5


def fields_of(seed: int) -> dict[str, list[Field]]:
    """Return what is learned from, what is scored in shadow, and what comes then, none of it of the same sky."""

    def of(name: str, kind: str, place: int, trains: int = 0, nights: int = 1) -> Field:
        return Field(name, kind, seed + place, place, nights, trains)

    return {
        "learned": [
            of("learned 1", "flash trains", 0, _TRAINS), of("learned 2", "flash trains", 1, _TRAINS),
            of("learned 3", "trails", 2, _TRAINS), of("learned 4", "flash trains", 3, _TRAINS),
        ],
        "in shadow": [
            of("next 1", "flash trains", 8, _TRAINS), of("ordinary", "typical", 9),
        ],
        "in use": [of("last", "flash trains", 12, _TRAINS)],
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--answers", type=int, default=ANSWERS)
    parser.add_argument("--seed", type=int, default=7101, help="of the simulated fields")
    parser.add_argument("--root", type=Path, help="folder of the site; it is kept")
    options = parser.parse_args()
    with kept_or_passing(options.root) as root:
        site.choose(root)
        import django

        django.setup()
        with site.running(), people.browser() as browser:
            Loop(root, fields_of(options.seed), browser).run(options.answers)


class Loop:
    """The steps, each done once for a folder, and what each gave."""

    def __init__(self, root: Path, fields: dict[str, list[Field]], browser: Browser) -> None:
        self._root, self._fields = root, fields
        self._truths: dict[str, Truth] = {}
        self._administrator = people.Administrator(people.page_of(browser, _session("administrator")))
        self._curator = people.page_of(browser, _session("curator"))
        self._done_path = root / "loop.json"
        self._done: dict[str, object] = json.loads(self._done_path.read_text()) if self._done_path.is_file() else {}

    def run(self, answers: int) -> None:
        """Go round once, and print what came of it."""
        self._step("configure", lambda: site.configure(_CHOSEN))
        self._observe("learned")
        self._step("answers", lambda: self._answer(answers))
        trained = cast("dict[str, str]", self._step("data set and training", self._train))
        old, new = trained["before"], trained["model"]
        self._step("into shadow", lambda: self._administrator.press(new, "Score in shadow"))
        self._tell("in shadow", old, new)
        self._step("answers about these nights", lambda: self._answer(10_000))
        self._step("threshold", lambda: self._thresholds(old, new))
        self._step("comparison", lambda: self._administrator.read(f"/models/{new}/comparison/"))
        self._step("into use", lambda: self._activate(new))
        self._step("the former into shadow", lambda: self._administrator.press(old, "Score in shadow"))
        self._tell("in use", old, new)

    def _step(self, name: str, work: Callable[[], object]) -> object:
        """Do a step, unless it was done in this folder before, and return what it gave."""
        if name not in self._done:
            begun = time.monotonic()
            found = work()
            seconds = time.monotonic() - begun
            self._done[name] = found
            self._done[f"seconds: {name}"] = round(seconds, 1)
            self._done_path.write_text(json.dumps(self._done, indent=1))
        print(f"{name:40} {self._done[f'seconds: {name}']!s:>8} s   {_short(self._done[name])}", flush=True)
        return self._done[name]

    def _observe(self, kind: str) -> None:
        for field in self._fields[kind]:
            self._observe_one(field)

    def _observe_one(self, field: Field) -> None:
        self._step(f"night {field.name}", lambda: _count(field, site.observe(field, self._root)))
        self._truths[field.name] = site.observe(field, self._root)

    def _answer(self, most: int) -> dict[str, float]:
        given = people.answer(self._curator, lambda key: verdict_of(key, self._truths), most)
        return {"real": given.answers["v"], "not real": given.answers["x"], "unclear": given.passed_over,
                "seconds each": round(given.seconds / max(given.count, 1), 2)}  # fmt: skip

    def _train(self) -> dict[str, str]:
        from detection.models import Model
        from detection.registry.weights import active_model

        before = active_model()
        if before is None:
            raise RuntimeError("No model is in use.")
        self._administrator.train_on_answers()
        site.finish()
        model = Model.objects.exclude(pk=before.pk).latest("created_at")
        return {"before": str(before.pk), "model": str(model.pk), "data set": str(model.data_set)}

    def _thresholds(self, old: str, new: str) -> dict[str, float]:
        """Ask for a share of missed ones; both models are calibrated by what was answered in their nights."""
        self._administrator.choose_threshold(old, 100.0 * MISSED)
        self._administrator.calibrate(new)
        site.finish()
        return {"before": _threshold(old), "after": _threshold(new)}

    def _activate(self, new: str) -> str:
        said = self._administrator.press(new, "Activate")
        if "not measured" in said:
            site.finish()
            said = self._administrator.press(new, "Activate")
        if "from the next frame on" not in said:
            raise RuntimeError(f"The model was not put to use: {said}")
        return said

    def _tell(self, when: str, old: str, new: str) -> None:
        """Let nights come, and print what both models make of each before anybody has answered about it."""
        for field in self._fields[when]:
            self._observe_one(field)
            self._step(f"told {field.name}", partial(self._told, field, old, new))
            print(self._done[f"told {field.name}"])

    def _told(self, field: Field, old: str, new: str) -> str:
        thresholds = {report.OLD: _threshold(old), report.NEW: _threshold(new)}
        of = scored([field.name], self._truths, {report.OLD: old, report.NEW: new})
        return "\n".join(report.of_nights(f"{field.name}, {field.kind}", of, thresholds, MISSED))


def _session(role: str) -> str:
    """Log somebody of a role in; return the key of their session."""
    from django.contrib.auth.models import Group
    from django.test import Client

    from catalog.models import User

    user, _ = User.objects.get_or_create(username=f"bench-{role}")
    user.groups.set([Group.objects.get(name=role)])
    client = Client()
    client.force_login(user, "catalog.people.backend.Backend")
    return client.cookies["sessionid"].value


def _threshold(model: str) -> float:
    from catalog.configuration.values import snapshot
    from detection.models import Model
    from detection.thresholds.in_force import in_force

    return in_force(Model.objects.get(pk=model), snapshot()).threshold


def _count(field: Field, truth: Truth) -> str:
    from detection.models import Detection
    from differencing.models import Candidate

    of_field = {"observation__original_name__in": list(truth)}
    candidates, detections = (of.objects.filter(**of_field).count() for of in (Candidate, Detection))
    return f"{field.kind}, {candidates} candidates, {detections} detections"


def _short(found: object) -> str:
    return "" if found is None else " ".join(str(found).split())[:160]


if __name__ == "__main__":
    main()
