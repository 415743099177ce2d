"""The door of verbs that send: one run at a time, and who comes second hears so at once.

It is passed before the verb's own modules are loaded, which takes seconds.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

from audiencehub.errors import ConfigError, HubError

SENDING = frozenset({"push"})
WHOLE = "every target"
"""The lease of the whole; each target's own is taken besides, by whoever plans or pushes it."""


@contextmanager
def entered(verb: str, words: Sequence[str]) -> Iterator[None]:
    """Hold the environment's door while the block runs, where the verb sends.

    Exits with the holder's name and start when another run holds it. Wrong settings are left to
    the verb, which tells them whole.
    """
    with ExitStack() as stack:
        if verb in SENDING and not {"-h", "--help"} & set(words):
            try:
                _hold(stack, environment(words))
            except HubError as error:
                from audiencehub.cli.common import stderr

                stderr.print(str(error), style="red", markup=False, soft_wrap=True)
                raise SystemExit(error.exit_code) from None
        yield


def environment(words: Sequence[str]) -> str:
    """The environment that these arguments name; `sandbox` unless they do."""
    for word, after in zip(words, [*words[1:], ""], strict=True):
        name, equals, value = word.partition("=")
        if name == "--env":
            return value if equals else after
    return "sandbox"


def _hold(stack: ExitStack, env: str) -> None:
    from audiencehub.ledger import Ledger
    from audiencehub.settings import load

    try:
        folder = load(env).folder
    except ConfigError:
        return
    ledger = Ledger.open(folder)
    stack.callback(ledger.close)
    stack.enter_context(ledger.leases.held(WHOLE, f"push-{os.getpid()}"))
