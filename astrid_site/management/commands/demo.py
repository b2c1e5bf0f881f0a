"""`manage.py demo`: the whole system on one machine, with simulated nights or frames of one's own to work at."""

from __future__ import annotations

import argparse
import json
import signal
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import CommandError
from django.core.management.base import BaseCommand

from astrid_site import cells, contact_sheet, foreground, supervisor, truth
from astrid_site.document import shown_detections
from astrid_site.frame_arguments import NAMES, add_frame_arguments, overrides_of
from astrid_site.pipeline import Processed, deliver, follow, process_paths
from astrid_site.summary import moving_lines, summary_lines
from catalog import storage
from catalog.accounts import demo_password, ensure_demo_accounts
from observations.services import Overrides, printable
from observations.stage.synthetic import parameters_of, write_synthetic_nights

# Rows of three: more than this is no longer taken in at a glance.
MOST_CELLS = 24
PICTURE_CELLS, PICTURE_COLUMNS = 8, 2


class Command(BaseCommand):
    """Progress goes to standard error, results to standard output; a second run finds its work done.

    Ctrl-C or SIGTERM stops every process that it started.
    """

    help = "Start everything, let simulated nights or your own frames go through, and serve until Ctrl-C."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--data", type=Path, metavar="PATH", help="a FITS file or a folder of your own")
        add_frame_arguments(parser)
        parser.add_argument("--seed", type=int, default=1, help="of the simulated nights")
        parser.add_argument("--size", type=int, default=1024, help="pixels on a side of the simulated frames")
        parser.add_argument("--exit", action="store_true", help="stop when the frames are done")
        parser.add_argument("--alone", action="store_true", help="do the frames in this process, and serve nothing")
        parser.add_argument("--picture", type=Path, metavar="PNG", help="also write the best few as a small picture")

    def handle(self, *args: Any, **options: Any) -> None:
        given = overrides_of(options)
        data: Path | None = options["data"]
        if data is None and any(options[name] is not None for name in NAMES):
            raise CommandError("--ra, --dec and the like describe your own frames: give --data as well.", returncode=2)
        if data is not None and not data.exists():
            raise CommandError(f"{data}: there is no such file or folder.", returncode=2)
        picture: Path | None = options["picture"]
        if picture is not None and not picture.parent.is_dir():
            raise CommandError(f"{picture}: there is no such folder.", returncode=2)
        with foreground.database(self.say, is_owner=not options["alone"]):
            has_ingested = self._alone(data, given, options) if options["alone"] else self._serve(data, given, options)
        if not has_ingested:
            sys.exit(1)

    def _alone(self, data: Path | None, given: Overrides, options: Mapping[str, Any]) -> bool:
        folder = data or nights_in_data_root(options["seed"], options["size"], self.say)
        done = process_paths([folder], given, self.say)
        self._results(done, folder, is_simulated=data is None, picture=options["picture"])
        return done.has_ingested

    def _serve(self, data: Path | None, given: Overrides, options: Mapping[str, Any]) -> bool:
        """Start everything, hand the frames to the workers, show what they found, and go on until told to end."""
        if not settings.IS_LOCAL:
            raise CommandError(
                "The demo makes accounts of known names, for this machine alone: unset ALLOWED_HOSTS, or follow "
                "docs/deploy.md.",
                returncode=2,
            )
        signal.signal(signal.SIGTERM, _end)
        signal.signal(signal.SIGHUP, _end)
        try:
            with supervisor.running(self.say) as everything:
                self._welcome(everything)
                folder = data or nights_in_data_root(options["seed"], options["size"], self.say)
                done = deliver([folder], given, self.say)
                follow(self.say)
                self._results(done, folder, is_simulated=data is None, picture=options["picture"])
                if not options["exit"]:
                    self.say(f"{address()} serves on. Ctrl-C stops everything.")
                    everything.wait()
                return done.has_ingested
        except (supervisor.AlreadyRunning, supervisor.PortTaken) as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt:
            self.say("Everything has been stopped.")
            return True

    def _welcome(self, everything: supervisor.Supervisor) -> None:
        password = demo_password(settings.ASTRID_DEMO_PASSWORD)
        names = ensure_demo_accounts(password)
        everything.wait_for_pages()
        self.stdout.write(f"\nAstrID answers at {address()}")
        self.stdout.write(f"Accounts: {', '.join(names)}; password: {password}\n\n")
        self.stdout.flush()

    def _results(self, done: Processed, folder: Path, *, is_simulated: bool, picture: Path | None) -> None:
        names = self._report(done, folder if is_simulated else None)
        if done.has_ingested:
            self._show(done, folder, names, picture)
        else:
            self.say(f"Nothing could be ingested from {folder}.")
        # It serves on after this, and a pipe would keep the lines back until the end.
        self.stdout.flush()

    def say(self, line: str) -> None:
        """Report progress."""
        self.stderr.write(line, style_func=str)
        self.stderr.flush()

    def _report(self, done: Processed, simulated: Path | None) -> dict[cells.Place, str]:
        """Print what was found, beside the truth where it is known; return the true names of the detections."""
        whole = done.document()
        if simulated is None:
            self._print(summary_lines(whole))
            return {}
        frames = truth.compare(whole, json.loads((simulated / "truth.json").read_text(encoding="utf-8")))
        self._print(truth.table(frames))
        self.stdout.write("")
        self._print(truth.totals(frames))
        self._print(moving_lines(whole))
        return truth.names_of(frames)

    def _print(self, lines: Any) -> None:
        for line in lines:
            self.stdout.write(line)

    def _show(self, done: Processed, folder: Path, names: Mapping[cells.Place, str], picture: Path | None) -> None:
        """Write the contact sheet into the data root, and the small picture where it was asked for."""
        detections = shown_detections(done.observation_ids)
        drawn = [cell for d in cells.best_first(detections) if (cell := cells.cell_of(d, names)) is not None]
        if not drawn:
            self.stdout.write("No detections, so no contact sheet.")
            return
        name = cells.shortened(printable(folder.resolve().name))
        title = f"{len(detections)} detections in {len(done.observation_ids)} frames of {name}"
        sources = len({d.source_id or d.pk for d in detections})
        shown = min(len(drawn), MOST_CELLS)
        subtitle = f"{shown} shown, by S/N; the best detection of each of {sources} sources comes first."
        sheet = contact_sheet.draw(drawn[:MOST_CELLS], title, subtitle)
        path = storage.write_atomically(f"demo/contact-sheet-{name}.png", sheet)
        self.stdout.write(f"Contact sheet: {storage.resolve(path)}")
        if picture is not None:
            subtitle = f"The best detection of each of {min(PICTURE_CELLS, sources)} of {sources} sources."
            picture.write_bytes(contact_sheet.draw(drawn[:PICTURE_CELLS], title, subtitle, PICTURE_COLUMNS))
            self.stdout.write(f"Picture: {picture}")


def address() -> str:
    """Return where the pages answer."""
    return f"http://{settings.BIND_ADDRESS}:{settings.PORT}/"


def _end(*_: object) -> None:
    raise KeyboardInterrupt


def nights_in_data_root(seed: int, size: int, report: Callable[[str], None]) -> Path:
    """Return a folder with two simulated nights and their truth, made on first use."""
    folder = storage.resolve(f"demo/simulated-nights-seed{seed}-size{size}")
    # The truth is written last: with it, the frames are whole.
    if not (folder / "truth.json").exists():
        for name in write_synthetic_nights(folder, parameters_of(seed=seed, size=size, nights=2, frames=4)):
            report(f"simulated {name}")
    return folder
