"""A security key made of software: it answers what a browser would pass on from one that is touched."""

from __future__ import annotations

import hashlib
import json
import struct
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from fido2 import cbor
from fido2.cose import ES256
from fido2.utils import websafe_encode

_PRESENT, _HAS_CREDENTIAL = 0x01, 0x40


class SoftwareKey:
    """One key pair for one site; `origin` is where the browser stands, https://host."""

    def __init__(self, origin: str) -> None:
        self._origin, self._id = origin, b"software key 1".ljust(32, b".")
        self._site = hashlib.sha256(origin.removeprefix("https://").encode()).digest()
        self._pair = ec.generate_private_key(ec.SECP256R1())

    def create(self, options: dict[str, Any]) -> str:
        """Return the answer to being added."""
        public = cbor.encode(dict(ES256.from_cryptography_key(self._pair.public_key())))
        credential = bytes(16) + struct.pack(">H", len(self._id)) + self._id + public
        data = self._data(_PRESENT | _HAS_CREDENTIAL) + credential
        attested = cbor.encode({"fmt": "none", "attStmt": {}, "authData": data})
        client = self._client("webauthn.create", options)
        return self._answer({"clientDataJSON": websafe_encode(client), "attestationObject": websafe_encode(attested)})

    def get(self, options: dict[str, Any]) -> str:
        """Return the answer to being asked."""
        data, client = self._data(_PRESENT), self._client("webauthn.get", options)
        signature = self._pair.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(hashes.SHA256()))
        return self._answer(
            {
                "clientDataJSON": websafe_encode(client),
                "authenticatorData": websafe_encode(data),
                "signature": websafe_encode(signature),
            }
        )

    def _data(self, flags: int) -> bytes:
        return self._site + bytes([flags]) + struct.pack(">I", 1)

    def _client(self, kind: str, options: dict[str, Any]) -> bytes:
        asked = options["publicKey"]["challenge"]
        return json.dumps({"type": kind, "challenge": asked, "origin": self._origin}).encode()

    def _answer(self, response: dict[str, str]) -> str:
        key = websafe_encode(self._id)
        answer = {"id": key, "rawId": key, "type": "public-key", "clientExtensionResults": {}, "response": response}
        return json.dumps(answer)
