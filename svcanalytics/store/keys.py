"""The keyed hash that stands for a customer: same customer, same hash, and without the key nobody can tell who.

HMAC-SHA256 (RFC 2104) of the identifier in UTF-8, shortened to 128 bits. The key is made on first use, lies outside the
lake and outside git, and only its owner can read it. Losing it means that later loads can't be joined to earlier ones.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from svcanalytics.errors import LakeError
from svcanalytics.store.files import make_private, remove, write_atomically

if TYPE_CHECKING:
    from svcanalytics.store.lake import Lake

__all__ = ["Key", "key", "key_path"]

_BLOCK = 64
_DIGITS = 32


@dataclass(frozen=True, repr=False)
class Key:
    """A lake's secret key. Its text never appears in messages or in `repr`."""

    secret: bytes

    def hash(self, identifier: str) -> str:
        """Return the hash of one identifier: 32 hexadecimal digits."""
        return hmac.digest(self.secret, identifier.encode(), hashlib.sha256).hex()[:_DIGITS]

    def sql(self, expression: str) -> str:
        """Return SQL that hashes a text expression exactly as `hash` does; null stays null.

        The pads are written as binary literals, so the SQL is as secret as the key: never log it.
        """
        secret = hashlib.sha256(self.secret).digest() if len(self.secret) > _BLOCK else self.secret
        padded = secret.ljust(_BLOCK, b"\0")
        inner, outer = (_blob(bytes(byte ^ pad for byte in padded)) for pad in (0x36, 0x5C))
        return f"substr(sha256({outer} || unhex(sha256({inner} || encode({expression})))), 1, {_DIGITS})"


def _blob(value: bytes) -> str:
    return "'" + "".join(f"\\x{byte:02X}" for byte in value) + "'::blob"


def key_path(lake: Lake) -> Path:
    """Return where the lake's key lies: beside the lake, in ``keys/``."""
    return lake.path.parent / "keys" / f"{lake.path.name}.key"


def key(lake: Lake) -> Key:
    """Return the lake's key; make it on first use.

    Raises
    ------
    LakeError
        When others can read the key, when it is damaged, or when it is gone although customers were hashed with it.
    """
    path = key_path(lake)
    if not path.exists():
        if lake.snapshot.tables.get("loads"):
            raise LakeError(
                "the key that customers were hashed with is gone",
                where=str(path),
                fix="bring it back from your backup; without it repeat contacts can't be counted",
            )
        make_private(path.parent)
        for draft in path.parent.glob(f".{path.name}.*.tmp"):
            remove(draft)
        write_atomically(path, secrets.token_hex(32) + "\n", mode=0o600)
    if os.name == "posix" and path.stat().st_mode & 0o077:
        raise LakeError("others can read the key", where=str(path), fix=f"chmod 600 {path}")
    try:
        secret = bytes.fromhex(path.read_text("ascii").strip())
    except ValueError:
        secret = b""
    if len(secret) < 32:
        raise LakeError("the key is damaged", where=str(path), fix="bring it back from your backup")
    return Key(secret)
