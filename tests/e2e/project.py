"""A project of one's own, driven through the command line: what every end-to-end test stands on."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from audiencehub.sandbox import process

REPOSITORY = Path(__file__).parents[2]
KEPT_VARIABLES = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "VIRTUAL_ENV", "AUDIENCEHUB_REALDATA")
SMALL = {"contacts": 400, "accounts": 60}
FEW_RULES = (
    "active_customers",
    "buying_committee_surge",
    "dormant_customers",
    "fading_users",
    "in_market_fintech",
    "mid_market_decision_makers",
    "modern_data_stack",
    "pricing_page_interest",
    "salesforce_users",
    "strategic_accounts",
)
"""Enough for tests of something else: a library that grows must not change their worlds."""
EVERYTHING_GOES = '\n[guards]\nfirst_run = "go"\nfield_share = 1.0\nadds_count = 100000\n'
"""For tests that are about something else than approval."""
SECONDS = 420


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def text(self) -> str:
        """Everything it said."""
        return f"{self.out}\n{self.err}"


class Project:
    """A folder with deployments and rules, as a user has it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.folder = root / ".audiencehub" / "sandbox"

    @classmethod
    def make(
        cls,
        root: Path,
        settings: str = "",
        world: Mapping[str, int] | None = None,
        *,
        library: bool = False,
    ) -> Project:
        """A fresh one, with a smaller company unless `world` says otherwise, and with few of the
        shipped rules unless the whole `library` is wanted."""
        root.mkdir(parents=True)
        for name in ("deployments", "segment_rules"):
            shutil.copytree(REPOSITORY / name, root / name)
        project = cls(root)
        for path in (root / "segment_rules").glob("*/*.yaml"):
            if not library and path.stem not in FEW_RULES:
                path.unlink()
        text = project.settings
        for key, count in (SMALL if world is None else world).items():
            lines = text.splitlines()
            text = "\n".join(f"{key} = {count}" if x.startswith(f"{key} = ") else x for x in lines)
        project.settings = f"{text}\n{settings}"
        return project

    def copy(self, root: Path) -> Project:
        """The same, with everything it holds, elsewhere. No sandbox may run in it."""
        shutil.copytree(self.root, root, ignore=shutil.ignore_patterns("urls.json", "host.lock"))
        return Project(root)

    @property
    def settings(self) -> str:
        """The text of `deployments/sandbox.toml`."""
        return (self.root / "deployments" / "sandbox.toml").read_text("utf-8")

    @settings.setter
    def settings(self, text: str) -> None:
        (self.root / "deployments" / "sandbox.toml").write_text(text, "utf-8")

    def rule(self, name: str) -> Path:
        """The file of a rule."""
        return next((self.root / "segment_rules").glob(f"*/{name}.yaml"))

    def environment(self, **more: str) -> dict[str, str]:
        """What a user's shell would have; nothing of the test run's own."""
        kept = {name: os.environ[name] for name in KEPT_VARIABLES if name in os.environ}
        own = {"AUDIENCEHUB_HOME": str(self.root), "PYTHONPATH": str(REPOSITORY)}
        return {**kept, **own, "NO_PROXY": "127.0.0.1,localhost", **more}

    def start(self, *words: str, **env: str) -> subprocess.Popen[str]:
        """A command on its way; its words are read through `stdout` and `stderr`."""
        return subprocess.Popen(
            [sys.executable, "-m", "audiencehub.cli.main", *words],
            cwd=self.root,
            env=self.environment(**env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *words: str, code: int | None = 0, seconds: float = SECONDS, **env: str) -> Done:
        """A command to its end; fails when it does not exit as expected (None: any way)."""
        child = self.start(*words, **env)
        try:
            out, err = child.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            child.kill()
            out, err = child.communicate()
            raise AssertionError(f"{words} took over {seconds:.0f} s:\n{out}\n{err}") from None
        done = Done(child.returncode, out, err)
        assert code is None or done.code == code, f"{words} exited {done.code}:\n{done.text}"
        return done

    def json(self, *words: str, code: int = 0, **env: str) -> Any:
        """What a command prints with --json."""
        return json.loads(self.run(*words, "--json", code=code, **env).out)

    def sync(self, *words: str, code: int | None = 0, **env: str) -> Done:
        """A sync without Prefect."""
        return self.run("sync", "--no-prefect", *words, code=code, **env)

    def release(self) -> None:
        """What a person does with held plans: approve, then apply."""
        released = self.json("approve", "all", "--reason", "looked at them")
        self.run("apply", ",".join(one["plan_id"] for one in released), "--no-prefect", "--quiet")

    def killed(self, *words: str, when: str, **env: str) -> str:
        """Run until a line with these words appears on standard error, then SIGKILL."""
        child = self.start(*words, **env)
        assert child.stdout and child.stderr
        swallow = threading.Thread(target=child.stdout.read, daemon=True)
        swallow.start()
        seen = []
        for line in child.stderr:
            seen.append(line)
            if when in line:
                child.kill()
        assert child.wait(SECONDS) == -signal.SIGKILL, f"never said {when!r}:\n{''.join(seen)}"
        return "".join(seen)

    @contextmanager
    def sandbox(self, env: str = "sandbox") -> Iterator[Mapping[str, str]]:
        """The fakes of this project while the block runs, as `audiencehub sandbox` serves them."""
        child = subprocess.Popen(
            [sys.executable, "-m", "audiencehub.cli.main", "sandbox", "--env", env, "--leash"],
            cwd=self.root,
            env=self.environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert child.stdin and child.stdout
        said = []
        for line in child.stdout:
            said.append(line)
            if "Ctrl-C ends it" in line:
                break
        try:
            urls = process.find(self.root / ".audiencehub" / env / "sandbox")
            assert urls is not None, "".join(said)
            yield urls
        finally:
            child.stdin.close()
            child.stdout.read()
            child.wait(20)
