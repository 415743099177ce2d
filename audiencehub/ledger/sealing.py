"""What was sent to ad platforms, sealed with the install's key; needed again for the removal."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from pathlib import Path

from audiencehub.errors import ConfigError
from audiencehub.privacy.sealed import KEY_FILE, Vault


class Sealing:
    """Seals identifiers and digests values, both with the key beside the ledger.

    Raises ConfigError when the ledger exists and its key is gone.
    """

    def __init__(self, folder: Path) -> None:
        ledger = folder / "ledger.sqlite"
        if ledger.exists() and ledger.stat().st_size and not (folder / KEY_FILE).exists():
            raise ConfigError(
                f"{folder / KEY_FILE} is missing, and the ledger beside it needs it.",
                hint=f"Restore {KEY_FILE} from the backup that holds ledger.sqlite",
            )
        self._vault = Vault(folder)
        self._record_key = self._vault.derived("record")

    def seal(self, identifiers: Mapping[str, str]) -> bytes:
        """The identifiers as one sealed token."""
        return self._vault.seal(json.dumps(dict(identifiers), sort_keys=True)).encode()

    def open(self, token: bytes) -> dict[str, str]:
        """The identifiers of a token. Raises Stop for another install's key."""
        found: dict[str, str] = json.loads(self._vault.unseal(token.decode()))
        return found

    def digest(self, identifiers: Mapping[str, str]) -> str:
        """A keyed digest: equal for equal identifiers, and tells nothing about them."""
        return self._vault.tombstone(json.dumps(dict(identifiers), sort_keys=True))

    def mark(self, text: str) -> str:
        """A keyed digest of one identifier that was erased, lower-case hex."""
        return self._vault.tombstone(text)

    def mac(self, text: str) -> str:
        """HMAC-SHA256 by which the ledger's own record is known as written by this install."""
        return hmac.new(self._record_key, text.encode(), hashlib.sha256).hexdigest()
