"""Sealing of identifiers with a key of the installation, and tombstones of erased ones."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import stat
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from audiencehub.errors import ConfigError, Stop

KEY_FILE = "install.key"


class Vault:
    """Seals what was sent, so that it can be removed again but not read from a stolen ledger.

    The key is `install.key` (mode 0600) in the environment's folder, made on first use. Raises
    ConfigError when others can read it or it is no key.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / KEY_FILE
        key = _read(self.path) or _make(self.path)
        try:
            self._fernet = Fernet(key)
        except ValueError:
            raise ConfigError(
                f"{self.path} is not a key.",
                hint="Restore it from a backup: without it what was sent cannot be removed again",
            ) from None
        self._key = key
        self.tombstone_key = self.derived("tombstone")

    def derived(self, purpose: str) -> bytes:
        """A key of its own for one purpose: one secret must not serve two algorithms."""
        info = f"audiencehub {purpose}".encode()
        return HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(self._key)

    def seal(self, text: str) -> str:
        """An encrypted token; the same text gives another token each time."""
        return self._fernet.encrypt(text.encode()).decode("ascii")

    def unseal(self, token: str) -> str:
        """The text of a token. Raises Stop when it was sealed with another key or changed."""
        try:
            return self._fernet.decrypt(token.encode()).decode()
        except (InvalidToken, UnicodeError):
            raise Stop(
                f"A sealed value does not open with {self.path}.",
                hint="Restore the install.key that belongs to this ledger",
            ) from None

    def tombstone(self, value: str) -> str:
        """`tombstone(value)` with this installation's key."""
        return tombstone(value, self.tombstone_key)


def tombstone(value: str, key: bytes) -> str:
    """HMAC-SHA256 of an erased identifier, lower-case hex: recognizes it, cannot be turned back."""
    return hmac.new(key, value.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()


def _read(path: Path) -> bytes | None:
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return None
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise ConfigError(f"{path} can be read by others.", hint=f"Run: chmod 600 {path}")
    return path.read_bytes().strip()


def _make(path: Path) -> bytes:
    """Write a new key whole, or take the one that another process wrote first."""
    path.parent.mkdir(parents=True, exist_ok=True)
    key = Fernet.generate_key()
    draft = path.with_name(f".{KEY_FILE}.{secrets.token_hex(8)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(key)
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)
    except FileExistsError:
        return path.read_bytes().strip()
    finally:
        draft.unlink()
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    return key
