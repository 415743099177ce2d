"""What the tests of every list platform share; its own conftest says which one, as `vendor`."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from typing import Any

import pytest

from audiencehub.connector import Destination
from audiencehub.model import Change, Op, Target
from audiencehub.sandbox.clock import SandboxClock
from audiencehub.sandbox.store import Store
from audiencehub.testing.bench import DAY, Patience, Stage, stage
from tests.connectors.vendor import Doors, Vendor


@pytest.fixture(scope="session")
def stages() -> Iterator[Callable[[int], Stage]]:
    """Servers that one test after the other puts its fakes on."""
    with ExitStack() as stack:
        made: list[Stage] = []

        def nth(number: int) -> Stage:
            while len(made) <= number:
                made.append(stack.enter_context(stage()))
            return made[number]

        yield nth


@pytest.fixture
def fake_with(
    stages: Callable[[int], Stage], vendor: Vendor, patience: Patience
) -> Iterator[Callable[..., Doors]]:
    """Fakes with options of their own."""
    used: list[Stage] = []

    def start(**options: Any) -> Doors:
        on, store = stages(len(used)), Store()
        sandbox = vendor.sandbox(store, SandboxClock(store), {**vendor.options, **options})
        on.app = sandbox.app()
        used.append(on)
        return vendor.doors(on.url, sandbox)

    yield start
    for on in used:
        on.app = None


@pytest.fixture
def fake(fake_with: Callable[..., Doors]) -> Doors:
    """The fake with its defaults."""
    return fake_with()


@pytest.fixture
def patience(monkeypatch: pytest.MonkeyPatch) -> Patience:
    """Waits of the HTTP client pass at once, and are remembered."""
    made = Patience()
    made.install(monkeypatch)
    # Limiters go by the address, which is the one of the test before.
    Patience.skipped += DAY
    return made


@pytest.fixture
def opened(vendor: Vendor) -> Callable[..., Destination]:
    """Opens the destination as the hub does."""
    return vendor.connect


@pytest.fixture
def destination(vendor: Vendor, fake: Doors) -> Destination:
    """The destination on the fake."""
    return vendor.connect(fake)


@pytest.fixture
def target(vendor: Vendor) -> Target:
    """A list that does not exist yet."""
    return Target(vendor.name, "list", "buyers", label="Recent buyers")


@pytest.fixture
def make_ready() -> Callable[[Destination, Target], Target]:
    """A target with its list made."""

    def made(destination: Destination, target: Target) -> Target:
        remote = destination.ensure(target, [])
        return Target(target.destination, "list", target.place, remote, target.label)

    return made


@pytest.fixture
def ready(
    make_ready: Callable[[Destination, Target], Target], destination: Destination, target: Target
) -> Target:
    """The target with its list made."""
    return make_ready(destination, target)


@pytest.fixture
def changes(vendor: Vendor) -> Callable[..., list[Change]]:
    """Changes for raw e-mail addresses."""

    def make(emails: Sequence[str], op: Op = "add", **more: str) -> list[Change]:
        return [
            Change(f"person-{n}", op, identifiers={"email": vendor.sent(e), **more})
            for n, e in enumerate(emails)
        ]

    return make
