"""The images of a product as they lie on disk: mapped, not read, and without astropy, which a web process can spare."""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np
from numpy.typing import NDArray

from observations.numerics.fits.facts import FitsRefused
from observations.numerics.fits.keywords import BITPIX_TYPES, PRODUCT_KEYWORD

if TYPE_CHECKING:
    from astropy.wcs import WCS

_BLOCK, _CARD = 2880, 80
# Headers of products are short; what has no end within this is none.
_LONGEST_HEADER_BLOCKS = 200
_STRING = re.compile(r"'((?:[^']|'')*)'")

Pixels = NDArray[np.number]
Value = str | int | float | bool | None


@dataclass(frozen=True)
class Mapped:
    """Images by name, as mapped arrays in the byte order of the file, and the cards of the first."""

    images: dict[str, Pixels]
    cards: dict[str, Value]

    def image(self, name: str = "SCI") -> NDArray[np.float32]:
        """Read an image into memory. Raises FitsRefused where the product has none of this name."""
        return np.array(self._named(name), dtype=np.float32)

    def mask(self, name: str = "MASK") -> NDArray[np.bool_]:
        """Read a mask into memory, True = bad. Raises as `image`."""
        return np.array(self._named(name) > 0)

    def plane(self, name: str = "SCI") -> Pixels:
        """Return an image as it is mapped, of which only what is cut out is read. Raises as `image`."""
        return self._named(name)

    def wcs(self) -> WCS | None:
        """Return the world coordinates, None where the product has none."""
        return wcs_of(self.cards, next(iter(self.images.values())).shape)

    def _named(self, name: str) -> Pixels:
        if name not in self.images:
            raise FitsRefused("not_fits", f"The file holds no image {name}: make it again.")
        return self.images[name]


def map_images(path: Path) -> Mapped:
    """Map the images that `products.encode_image` wrote, plain ones one after the other, in the byte order of the file.

    Raises FitsRefused where the file is no such product or is shorter than it says.
    """
    images: dict[str, Pixels] = {}
    first: dict[str, Value] = {}
    size_bytes = path.stat().st_size
    with path.open("rb") as file:
        while not images or file.tell() < size_bytes:
            cards = read_cards(file)
            first = first or cards
            if first.get(PRODUCT_KEYWORD) != "image":
                raise FitsRefused("not_fits", "The file is not an image of the pipeline: make it again.")
            start = file.tell()
            dtype, shape = layout_of(cards)
            length = dtype.itemsize * math.prod(shape)
            if start + length > size_bytes:
                raise FitsRefused("truncated", "The image is shorter than its header says: make it again.")
            images[str(cards.get("EXTNAME", len(images)))] = np.memmap(path, dtype, "r", start, shape)
            file.seek(start + _BLOCK * math.ceil(length / _BLOCK))
    return Mapped(images, first)


def wcs_of(cards: Mapping[str, Value], shape: tuple[int, ...]) -> WCS | None:
    """Return the world coordinates in the cards of a product, None where it has none."""
    # Here and not above: a web process that only shows pixels does without astropy.
    from astropy.io.fits import Header
    from astropy.utils.exceptions import AstropyWarning
    from astropy.wcs import WCS

    if "CTYPE1" not in cards:
        return None
    with warnings.catch_warnings():
        # Remarks on keywords that no program needs.
        warnings.simplefilter("ignore", AstropyWarning)
        wcs = WCS(Header(cards))
    wcs.array_shape = shape
    return wcs


def read_cards(file: BinaryIO) -> dict[str, Value]:
    """Read the cards up to END; the file then stands at the first byte of the data. Raises FitsRefused: truncated."""
    cards: dict[str, Value] = {}
    for _ in range(_LONGEST_HEADER_BLOCKS):
        block = file.read(_BLOCK).decode("ascii", errors="replace")
        if len(block) < _BLOCK:
            break
        for at in range(0, _BLOCK, _CARD):
            keyword, card = block[at : at + 8].rstrip(), block[at : at + _CARD]
            if keyword == "END":
                return cards
            if card[8:10] == "= ":
                cards[keyword] = _value(card[10:])
    raise FitsRefused("truncated", "The image has no whole header: make it again.")


def _value(text: str) -> Value:
    string = _STRING.match(text.strip())
    if string:
        return string[1].replace("''", "'").rstrip()
    plain = text.split("/")[0].strip()
    if plain in ("T", "F"):
        return plain == "T"
    try:
        return float(plain.replace("D", "E")) if re.search(r"[.ED]", plain) else int(plain)
    except ValueError:
        return None


def layout_of(cards: Mapping[str, Value]) -> tuple[np.dtype[np.number], tuple[int, int]]:
    """Return type and shape (ny, nx) of an image whose numbers stand as they are. Raises FitsRefused for others."""
    dtype, width, height = BITPIX_TYPES.get(_whole(cards, "BITPIX")), _whole(cards, "NAXIS1"), _whole(cards, "NAXIS2")
    is_scaled = cards.get("BSCALE", 1) != 1 or cards.get("BZERO", 0) != 0
    if dtype is None or cards.get("NAXIS") != 2 or min(width, height) < 1 or is_scaled:
        raise FitsRefused("not_fits", "The file holds something other than plain images: make it again.")
    return np.dtype(dtype), (height, width)


def _whole(cards: Mapping[str, Value], keyword: str) -> int:
    value = cards.get(keyword)
    return value if isinstance(value, int) else 0
