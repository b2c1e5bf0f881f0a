"""Enter a trained model in the registry."""

from __future__ import annotations

from pathlib import Path
from typing import TypedDict, Unpack

from django.core.management.base import BaseCommand, CommandError, CommandParser

from catalog.failures import StageFailure
from catalog.people import audit
from detection.registry.weights import ModelRefused, activate, active_model, read_card, register
from detection.stage.measure import measure


class _Given(TypedDict):
    card: Path
    activate: bool
    reason: str


class Command(BaseCommand):
    help = "Copy a model's weights into the data root and add it to the registry."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("card", type=Path, help="The JSON file that train_model wrote, with the weights beside it.")
        parser.add_argument("--activate", action="store_true", help="Score new candidates with this model from now on.")

        parser.add_argument(
            "--reason", default="", help="Why it is to score although it is worse on the golden set; the log keeps it."
        )

    def handle(self, *args: object, **options: Unpack[_Given]) -> None:
        try:
            model = register(read_card(options["card"]))
            if options["activate"] and not model.is_active:
                if active_model(model.model_type) is not None and not options["reason"]:
                    measure(model)
                model = activate(model, audit.MACHINE, reason=options["reason"])
        except ModelRefused as refusal:
            raise CommandError(str(refusal)) from refusal
        except StageFailure as failure:
            raise CommandError(failure.sentence) from failure
        state = "active" if model.is_active else "registered"
        self.stdout.write(f"{model} is {state}: {model.model_path}, sha256 {model.weights_sha256}")
