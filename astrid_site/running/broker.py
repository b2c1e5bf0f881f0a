"""The broker of files, for a site without RabbitMQ: kombu's, taught that its folder may go away and come back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kombu.transport import filesystem


class Transport(filesystem.Transport):
    """kombu's transport; without its folder a worker waits and tries again, as with any broker that is away."""

    connection_errors = (*filesystem.Transport.connection_errors, OSError)  # type: ignore[assignment]

    def establish_connection(self) -> Any:
        """Make the folders where there are none; raise OSError where they cannot be made."""
        options: dict[str, str] = self.client.transport_options  # type: ignore[union-attr]
        for name in ("data_folder_in", "control_folder"):
            Path(options[name]).mkdir(parents=True, exist_ok=True)
        return super().establish_connection()
