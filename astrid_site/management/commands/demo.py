"""`manage.py demo`: the whole system on one machine, with simulated nights or frames of one's own to work at."""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path
from typing import Unpack

from django.conf import settings
from django.core.management import CommandError
from django.core.management.base import BaseCommand

from astrid_site.night.frame_arguments import NAMES, FrameArguments, add_frame_arguments, overrides_of
from astrid_site.running import database, supervisor
from catalog.files import storage
from catalog.people.accounts import demo_password, ensure_demo_accounts
from observations.delivery.simulated_folder import SimulatedFolder
from observations.numerics.fits.facts import Overrides


class _Given(FrameArguments):
    data: Path | None
    seed: int
    size: int
    exit: bool
    alone: bool
    picture: Path | None


class Command(BaseCommand):
    """Progress goes to standard error, results to standard output; a second run finds its work done.

    Ctrl-C or SIGTERM stops every process that it started.
    """

    # They load every page, which takes a second; `manage.py check` makes them.
    requires_system_checks = ()
    help = "Start everything, process simulated nights or your own frames, and keep serving until Ctrl-C."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--data", type=Path, metavar="PATH", help="your own FITS file or folder of them")
        add_frame_arguments(parser)
        parser.add_argument("--seed", type=int, default=1, help="seed of the simulated nights")
        parser.add_argument("--size", type=int, default=1024, help="side of the simulated frames in pixels")
        parser.add_argument("--exit", action="store_true", help="exit when the frames have been processed")
        parser.add_argument(
            "--alone", action="store_true", help="process the frames in this process, without web server and workers"
        )
        parser.add_argument(
            "--picture", type=Path, metavar="PNG", help="also write a small picture of the best detections"
        )

    def handle(self, *args: object, **options: Unpack[_Given]) -> None:
        given = overrides_of(options)
        data: Path | None = options["data"]
        if data is None and any(value is not None for name, value in options.items() if name in NAMES):
            raise CommandError("--ra, --dec and the like describe your own frames: give --data as well.", returncode=2)
        if data is not None and not data.exists():
            raise CommandError(f"{data}: there is no such file or folder.", returncode=2)
        picture: Path | None = options["picture"]
        if picture is not None and not picture.parent.is_dir():
            raise CommandError(f"{picture}: there is no such folder.", returncode=2)
        if data is None:
            self._use_star_catalog(_simulated(options))
        with database.usable(self.say, is_owner=not options["alone"]):
            has_ingested = (self._work if options["alone"] else self._serve)(data, given, options)
        if not has_ingested:
            sys.exit(1)

    def _serve(self, data: Path | None, given: Overrides, options: _Given) -> bool:
        """Start everything, hand the frames to the workers, show what they found, and go on until told to end."""
        if not settings.IS_LOCAL:
            raise CommandError(
                "The demo creates accounts with well-known names and is meant for this machine only: unset "
                "ALLOWED_HOSTS, or follow docs/deploy.md.",
                returncode=2,
            )
        signal.signal(signal.SIGTERM, _end)
        signal.signal(signal.SIGHUP, _end)
        try:
            with supervisor.running(self.say) as everything:
                self._welcome(everything)
                has_ingested = self._work(data, given, options)
                if not options["exit"]:
                    self.say(f"Serving at {address()}. Press Ctrl-C to stop everything.")
                    everything.wait()
                return has_ingested
        except (supervisor.AlreadyRunning, supervisor.PortTaken) as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt:
            self.say("Everything has been stopped.")
            return True

    def _work(self, data: Path | None, given: Overrides, options: _Given) -> bool:
        """Let the frames go through, and show what came of them; tell whether anything could be ingested."""
        # What computes and draws takes seconds to load: not before the pages answer.
        from astrid_site.night import demonstration

        simulated, folder = None, data
        if folder is None:
            simulated = _simulated(options)
            demonstration.simulate_into(simulated, options["seed"], options["size"], self.say)
            folder = simulated.path
        process = demonstration.process_paths if options["alone"] else demonstration.by_workers
        done = process([folder], given, self.say)
        demonstration.Results(done, folder, simulated, options["picture"], self.stdout.write).show()
        if not done.has_ingested:
            self.say(f"Nothing could be ingested from {folder}.")
        # It serves on after this, and a pipe would keep the lines back until the end.
        self.stdout.flush()
        return done.has_ingested

    def _use_star_catalog(self, simulated: SimulatedFolder) -> None:
        """Let the frames of a simulated sky be solved with the catalogue of its stars, and with no other."""
        if settings.ASTRID_STAR_CATALOG:
            self.say("ASTRID_STAR_CATALOG is not used: the simulated sky has stars of its own.")
        settings.ASTRID_STAR_CATALOG = str(simulated.star_catalog)
        self.say(f"Star catalogue of the simulated sky: {simulated.star_catalog}")

    def _welcome(self, everything: supervisor.Supervisor) -> None:
        password = demo_password(settings.ASTRID_DEMO_PASSWORD)
        names = ensure_demo_accounts(password)
        everything.wait_for_pages()
        self.stdout.write(f"\nAstrID answers at {address()}")
        self.stdout.write(f"Accounts: {', '.join(names)}; password: {password}\n\n")
        self.stdout.flush()

    def say(self, line: str) -> None:
        """Report progress."""
        self.stderr.write(line, style_func=str)
        self.stderr.flush()


def _simulated(options: _Given) -> SimulatedFolder:
    """Return where the simulated nights of a seed and a size are, or will be."""
    name = f"simulated-nights-seed{options['seed']}-size{options['size']}"
    return SimulatedFolder(storage.resolve(f"demo/{name}"))


def address() -> str:
    """Return where the pages answer."""
    return f"http://{settings.BIND_ADDRESS}:{settings.PORT}/"


def _end(*_: object) -> None:
    raise KeyboardInterrupt
