"""Nobody's value and no secret is told: in no log, terminal, traceback or page of Prefect."""

from __future__ import annotations

import gzip
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from audiencehub.delivery import crash
from audiencehub.sandbox import process
from tests.e2e import leaks
from tests.e2e.project import EVERYTHING_GOES, Done, Project

WRITES = ("POST", "PATCH", "DELETE")
VENDORS = ("hubspot", "salesforce", "meta_ads", "builtwith")
WORLD = {"contacts": 60, "accounts": 12}


@dataclass
class Transcript:
    """One project, and all that its runs have said."""

    project: Project
    said: list[str] = field(default_factory=list)

    def run(self, *words: str, **env: str) -> Done:
        done = self.project.run(*words, code=None, **{**leaks.environment(), **env})
        self.said.append(done.text)
        return done

    def sync(self, *words: str, **env: str) -> Done:
        return self.run("sync", "--no-prefect", *words, **env)

    @contextmanager
    def faults(self, urls: Mapping[str, str], vendor: str, *faults: dict) -> Iterator[None]:
        for one in faults:
            process.fault(urls, vendor, **one)
        yield
        process.clear_faults(urls, vendor)


def told(transcript: Transcript, values: Mapping[str, str], *, stores: bool) -> dict[str, set[str]]:
    """Where any of these values stands: the terminal, or a file."""
    search = leaks.Search(values)
    found = search.files(transcript.project, stores=stores)
    terminal = set().union(*(search.text(text) for text in transcript.said))
    return {**found, **({"terminal": terminal} if terminal else {})}


def silent(transcript: Transcript) -> None:
    """No personal value is told anywhere, and no secret even stands in a store."""
    assert told(transcript, leaks.personal(), stores=False) == {}
    assert told(transcript, leaks.secrets(), stores=True) == {}


@pytest.fixture(scope="module")
def planted(worlds: Path) -> Project:
    """A small company with 200 canaries among its people; nothing was read of it."""
    project = Project.make(worlds / "planted", f"{leaks.SETTINGS}{EVERYTHING_GOES}", WORLD)
    with project.sandbox() as urls:
        leaks.plant(project, urls)
    return project


def echo() -> dict:
    """What a careless vendor answers: the record, the token, both in a sentence."""
    people, secrets = leaks.personal(), leaks.secrets()
    return {
        "status": 400,
        "message": f"Invalid value {people['email7']} ({people['lastname7']}, {people['phone7']})",
        "token": secrets["IN_BODY"],
        "context": {"values": [people["jobtitle8"], people["city8"]]},
    }


def spoken() -> list[dict]:
    """Faults whose every part carries something: body, header, cookie, place, page."""
    people, secrets = leaks.personal(), leaks.secrets()
    headers = {
        "WWW-Authenticate": f'Bearer realm="{secrets["IN_HEADER"]}"',
        "Set-Cookie": f"session={secrets['IN_COOKIE']}",
        "X-Trace": people["email9"],
    }
    page = f"<h1>{people['firstname9']} {people['lastname9']}</h1><!-- {secrets['IN_PAGE']} -->"
    place = f"http://127.0.0.1:9/login?token={secrets['IN_LOCATION']}&user={people['email10']}"
    return [
        {"status": 500, "body": echo(), "headers": headers},
        {"status": 502, "body": page},
        {"status": 302, "headers": {"Location": place}},
        {"status": 200, "body": page},
        {"status": 200, "body": echo()},
        {"status": 429, "body": echo(), "headers": {**headers, "Retry-After": "0"}},
        {"hang_up": True},
        {"cut": True},
        {"status": 400, "body": echo(), "headers": headers},
    ]


@pytest.mark.verify
def test_reading_and_writing_through_faults_tells_nothing(planted, tmp_path):
    """Errors quote what they choke on: the vendor's words, and ours, must not carry it on."""
    transcript = Transcript(planted.copy(tmp_path / "told"))
    leaks.poison(transcript.project)
    with transcript.project.sandbox() as urls:
        writing = {"path": "/contacts/batch/update", "method": "POST", "status": 400,
                   "body": echo(), "times": 2}  # fmt: skip
        reading = {"path": "/objects/companies", "status": 400, "body": echo(), "times": 1}
        with transcript.faults(urls, "hubspot", writing, reading):
            first = transcript.sync()

    assert first.code == 1, "the fault was not met"
    assert "hubspot" in first.text
    known = leaks.Search(leaks.personal()).files(transcript.project, stores=True)
    assert set().union(*known.values()) == set(leaks.personal()), "not all of them were read"
    silent(transcript)


@pytest.mark.verify
def test_every_fault_of_every_vendor_tells_nothing(planted, tmp_path):
    """Each vendor has its own way to say no, and its own client that logs it."""
    transcript = Transcript(planted.copy(tmp_path / "told"))
    writes = [{**one, "method": method, "times": 1} for one in spoken() for method in WRITES]
    reads = [{**one, "method": "GET", "times": 1} for one in spoken()]
    with transcript.project.sandbox() as urls:
        for faults in (writes, reads[:5], reads[5:]):
            with ExitStack() as stack:
                for vendor in VENDORS:
                    stack.enter_context(transcript.faults(urls, vendor, *faults))
                transcript.sync("--full")
        transcript.run("quarantine", "list")

    for vendor in VENDORS:
        assert any(f"{vendor}: " in text or f"{vendor}/" in text for text in transcript.said)
    assert sum("-> " in text for text in transcript.said) >= 2, "no fault was met"
    silent(transcript)


WRONG = (
    {
        "hubspot": "",
        "salesforce": 'session_id = { env = "SALESFORCE_SESSION" }',
        "meta_ads": 'token = { env = "META_TOKEN" }\napp_secret = { env = "META_SECRET" }',
    },
    {
        "salesforce": 'consumer_key = { env = "SALESFORCE_KEY" }\n'
        'consumer_secret = { env = "SALESFORCE_SECRET" }',
        "hubspot": 'client_id = { env = "HUBSPOT_CLIENT" }\n'
        'client_secret = { env = "HUBSPOT_SECRET" }\nrefresh_token = { env = "HUBSPOT_REFRESH" }',
    },
)
"""Credentials that vendors refuse; without references the token of the environment is wrong."""


@pytest.mark.verify
def test_refused_credentials_tell_nothing(planted, tmp_path):
    """A refusal is where a token is most likely to be quoted, and a log where it is kept."""
    transcript = Transcript(planted.copy(tmp_path / "told"))
    right = transcript.project.settings
    with transcript.project.sandbox():
        for wrong in WRONG:
            transcript.project.settings = right
            env = {"HUBSPOT_TOKEN": leaks.secrets()["HUBSPOT_WRONG"]}
            for vendor, options in wrong.items():
                if options:
                    rewrite(transcript.project, vendor, options)
            done = transcript.sync(**env)
            assert done.code != 0
            refused = [one for one in ("hubspot", "salesforce") if f"{one}: " not in done.text]
            assert refused == [], "the credentials were taken"
            transcript.run("doctor", **env)
        transcript.run("alerts", "--now")

    silent(transcript)


def rewrite(project: Project, vendor: str, options: str) -> None:
    """Give an entry these references, at the source and at the destination of that name."""
    text = project.settings
    if vendor == "hubspot":
        text = text.replace('token = { env = "HUBSPOT_TOKEN" }\n', "", 1)
    for section in ("sources", "destinations"):
        head, entry = f"[{section}.{vendor}.options]\n", f"[{section}.{vendor}]\n"
        if head in text:
            text = text.replace(head, f"{head}{options}\n")
        elif entry in text:
            text += f"\n{head}{options}\n"
    project.settings = text


@pytest.mark.verify
def test_a_kill_and_a_flow_tell_nothing(planted, tmp_path):
    """Prefect keeps parameters, logs, states and artifacts in a database of its own, for ever."""
    transcript = Transcript(planted.copy(tmp_path / "told"))
    leaks.poison(transcript.project)
    with transcript.project.sandbox() as urls:
        killed = transcript.run("sync", **{crash.VARIABLE: "after_apply:1"})
        faults = [{**one, "path": "/objects/contacts", "times": 1} for one in spoken()[3:5]]
        with transcript.faults(urls, "hubspot", *faults):
            transcript.run("sync")
        transcript.run("plan")
        transcript.run("report")

    assert killed.code == -signal.SIGKILL
    assert (transcript.project.root / ".audiencehub" / "prefect" / "prefect.db").stat().st_size
    silent(transcript)


BROKEN = """
import audiencehub.steps.normalize as step
from audiencehub.warehouse import rows


def fails(connection, table, batch, **more):
    for row in batch:
        if table.name == "contact" and row["email"]:
            raise ValueError(f"could not convert {row['first_name']!r} of {row['email']}")
    return rows.upsert(connection, table, batch, **more)


step.upsert = fails
"""
LEAKING = """
import logging, os, sys
from tests.e2e import leaks


def leak():
    log = logging.getLogger("audiencehub.steps")
    log.warning("read %s of %s", leaks.personal()["lastname1"], leaks.personal()["email1"])


import atexit
atexit.register(leak)
"""


def instead(transcript: Transcript, code: str, *words: str) -> Done:
    """A run in which the product has this fault."""
    folder = transcript.project.root / "fault"
    folder.mkdir(exist_ok=True)
    (folder / "faulty.py").write_text(
        f"{code}\nfrom audiencehub.cli.main import run\nrun()\n", "utf-8"
    )
    child = subprocess.run(
        [sys.executable, str(folder / "faulty.py"), *words],
        cwd=transcript.project.root,
        env=transcript.project.environment(**leaks.environment()),
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    done = Done(child.returncode, child.stdout, child.stderr)
    transcript.said.append(done.text)
    return done


@pytest.mark.verify
def test_a_fault_of_our_own_tells_nothing(planted, tmp_path):
    """An error that nobody foresaw quotes the record that it met, on the terminal and in a flow."""
    transcript = Transcript(planted.copy(tmp_path / "told"))
    with transcript.project.sandbox():
        bare = instead(transcript, BROKEN, "sync", "--no-prefect")
        flow = instead(transcript, BROKEN, "sync")

    assert "ValueError: could not convert '…' of [email]" in bare.err
    assert "Traceback" in bare.err
    assert flow.code == 1
    assert "ValueError at " in flow.text
    silent(transcript)


def test_a_line_that_leaks_is_found(planted, tmp_path):
    """A search that finds nothing in a log with somebody's name proves nothing."""
    transcript = Transcript(planted.copy(tmp_path / "told"))
    instead(transcript, LEAKING, "sync", "--help")

    found = told(transcript, leaks.personal(), stores=False)

    assert found == {"terminal": {"lastname1"}}, "the address is masked, the name is not"
    with pytest.raises(AssertionError):
        silent(transcript)


def test_a_secret_in_a_file_is_found(planted, tmp_path):
    """A token that a page of landing or a log holds must be seen, packed or not."""
    transcript = Transcript(planted.copy(tmp_path / "told"))
    folder = transcript.project.folder / "landing" / "hubspot"
    folder.mkdir(parents=True)
    (folder / "page.jsonl.gz").write_bytes(
        gzip.compress(leaks.secrets()["IN_BODY"].upper().encode())
    )

    found = told(transcript, leaks.secrets(), stores=True)

    assert found == {".audiencehub/sandbox/landing/hubspot/page.jsonl.gz": {"IN_BODY"}}
