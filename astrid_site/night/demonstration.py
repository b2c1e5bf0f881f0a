"""What the demo works at and what it shows: simulated nights, what was found beside the truth, a contact sheet."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from astrid_site.night import cells, contact_sheet, truth
from astrid_site.night.demo_answers import ACCOUNT, answer_from_truth
from astrid_site.night.document import shown_detections
from astrid_site.night.foreground import Processed, deliver, follow, process_paths
from astrid_site.night.summary import moving_lines, summary_lines
from catalog.files import storage
from observations.delivery.ingest import Overrides, printable
from observations.delivery.simulated import parameters_of, write_star_catalog, write_synthetic_nights
from observations.delivery.simulated_folder import SimulatedFolder

__all__ = ["Results", "by_workers", "process_paths", "simulate_into"]

# Rows of three: more than this is no longer taken in at a glance.
MOST_CELLS = 24
PICTURE_CELLS, PICTURE_COLUMNS = 8, 2


def simulate_into(folder: SimulatedFolder, seed: int, size: int, report: Callable[[str], None]) -> None:
    """Make two nights, their truth and the star catalogue of their sky, where they are not there yet."""
    parameters = parameters_of(seed=seed, size=size, nights=2, frames=4)
    # The truth is written last: with it, the frames are whole.
    if not folder.truth.exists():
        for name in write_synthetic_nights(folder.path, parameters):
            report(f"simulated {name}")
    elif not folder.star_catalog.exists():
        # An earlier version wrote none; the stars are the same.
        report(f"simulated {write_star_catalog(folder, parameters)}")


def by_workers(paths: Iterable[Path], given: Overrides, report: Callable[[str], None]) -> Processed:
    """Hand frames to the workers and follow them to the end, as `process_paths` does it in this process."""
    done = deliver(paths, given, report)
    follow(report)
    return done


@dataclass(frozen=True)
class Results:
    """What came of a folder of frames; `write` takes each line of it. `picture` is where the small picture goes."""

    done: Processed
    folder: Path
    simulated: SimulatedFolder | None
    picture: Path | None
    write: Callable[[str], object]

    def show(self) -> None:
        """Print what was found, and draw the best of it."""
        names = self._report()
        if self.done.has_ingested:
            self._draw(names)
            self._answer(names)

    def _answer(self, names: Mapping[cells.Place, str]) -> None:
        """Let the demo's expert answer about a few objects whose truth is known, and say so."""
        real, false = answer_from_truth(shown_detections(self.done.observation_ids), names)
        if real or false:
            self.write(
                f"As {ACCOUNT}, the demo has judged {real} objects real and {false} not, by the truth: its alerts come "
                "from these answers."
            )

    def _report(self) -> dict[cells.Place, str]:
        """Print what was found, beside the truth where it is known; return the true names of the detections."""
        whole = self.done.document()
        if self.simulated is None:
            self._print(summary_lines(whole))
            return {}
        frames = truth.compare(whole, json.loads(self.simulated.truth.read_text(encoding="utf-8")))
        self._print(truth.table(frames))
        self.write("")
        self._print(truth.totals(frames))
        self._print(moving_lines(whole))
        return truth.names_of(frames)

    def _print(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.write(line)

    def _draw(self, names: Mapping[cells.Place, str]) -> None:
        """Write the contact sheet into the data root, and the small picture where it was asked for."""
        detections = shown_detections(self.done.observation_ids)
        drawn = [cell for d in cells.best_first(detections) if (cell := cells.cell_of(d, names)) is not None]
        if not drawn:
            self.write("No detections, so no contact sheet.")
            return
        name = cells.shortened(printable(self.folder.resolve().name))
        title = f"{len(detections)} detections in {len(self.done.observation_ids)} frames of {name}"
        sources = len({d.source_id or d.pk for d in detections})
        shown = min(len(drawn), MOST_CELLS)
        subtitle = f"{shown} shown, by S/N; the best detection of each of {sources} sources comes first."
        sheet = contact_sheet.draw(drawn[:MOST_CELLS], title, subtitle)
        path = storage.write_atomically(f"demo/contact-sheet-{name}.png", sheet)
        self.write(f"Contact sheet: {storage.resolve(path)}")
        if self.picture is not None:
            subtitle = f"The best detection of each of {min(PICTURE_CELLS, sources)} of {sources} sources."
            self.picture.write_bytes(contact_sheet.draw(drawn[:PICTURE_CELLS], title, subtitle, PICTURE_COLUMNS))
            self.write(f"Picture: {self.picture}")
