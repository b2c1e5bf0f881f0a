"""Headers of real instruments, and what is true of them."""

from tests.observations.numerics.fits.instruments.cameras import CAMERAS
from tests.observations.numerics.fits.instruments.capture import CAPTURE
from tests.observations.numerics.fits.instruments.observatories import OBSERVATORIES
from tests.observations.numerics.fits.instruments.processed import PROCESSED
from tests.observations.numerics.fits.instruments.record import Instrument
from tests.observations.numerics.fits.instruments.sbfits import SBFITS
from tests.observations.numerics.fits.instruments.smart import SMART
from tests.observations.numerics.fits.instruments.space import SPACE
from tests.observations.numerics.fits.instruments.surveys import SURVEYS
from tests.observations.numerics.fits.instruments.veterans import VETERANS

INSTRUMENTS: tuple[Instrument, ...] = (
    *CAPTURE,
    *CAMERAS,
    *SBFITS,
    *SMART,
    *PROCESSED,
    *OBSERVATORIES,
    *SURVEYS,
    *SPACE,
    *VETERANS,
)
