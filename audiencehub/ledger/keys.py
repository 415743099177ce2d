"""The install's key, kept beside the ledger, and the sealing of what was sent to ad platforms."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken

from audiencehub.errors import ConfigError


def install_key(folder: Path) -> bytes:
    """The key in `ledger.key` (0600), made with a new ledger.

    Raises ConfigError when the ledger exists and its key is gone.
    """
    path = folder / "ledger.key"
    if path.exists():
        return path.read_bytes().strip()
    if (folder / "ledger.sqlite").exists() and (folder / "ledger.sqlite").stat().st_size:
        raise ConfigError(
            f"{path} is missing, and the ledger beside it needs it.",
            hint="Restore ledger.key from the backup that holds ledger.sqlite",
        )
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = folder / f"ledger.key.{os.getpid()}"
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        os.write(handle, Fernet.generate_key())
        os.fsync(handle)
    finally:
        os.close(handle)
    try:
        # A link refuses to replace: of two processes that start together, one key wins.
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
    return path.read_bytes().strip()


class Sealing:
    """Encrypts identifiers at rest."""

    def __init__(self, key: bytes) -> None:
        self._fernet = Fernet(key)

    def seal(self, identifiers: Mapping[str, str]) -> bytes:
        """The identifiers as one sealed token."""
        return self._fernet.encrypt(json.dumps(dict(identifiers), sort_keys=True).encode())

    def open(self, token: bytes) -> dict[str, str]:
        """The identifiers of a token. Raises ConfigError for another install's key."""
        try:
            found: dict[str, str] = json.loads(self._fernet.decrypt(token))
        except InvalidToken:
            raise ConfigError(
                "Sent identifiers cannot be read with this ledger.key.",
                hint="Restore the ledger.key that belongs to this ledger.sqlite",
            ) from None
        return found
