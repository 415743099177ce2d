"""jsforce, a client that the product does not use, unmodified against the fake."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
CLIENT = ROOT / "tests" / "clients" / "salesforce"


@pytest.fixture(scope="module")
def folder() -> Path:
    """The client installed by its lock file, once per version of it."""
    if not shutil.which("node") or not shutil.which("npm"):
        pytest.skip("needs node and npm (18 or newer): install Node.js to run the second client")
    digest = hashlib.sha256((CLIENT / "package-lock.json").read_bytes()).hexdigest()[:12]
    made = ROOT / ".audiencehub" / "test-cache" / f"jsforce-{digest}"
    made.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json", "check.js"):
        shutil.copy(CLIENT / name, made / name)
    if not (made / "node_modules" / ".package-lock.json").is_file():
        done = subprocess.run(
            ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
            cwd=made,
            capture_output=True,
            text=True,
            timeout=200,
            check=False,
        )
        if done.returncode:
            pytest.skip("needs node: npm could not install jsforce (no network?)")
    return made


@pytest.mark.verify
@pytest.mark.needs("node")
def test_jsforce_reads_and_writes_the_fake(folder, org):
    """The fake would fit our own client only, and prove nothing about the vendor."""
    done = subprocess.run(
        ["node", "check.js", org.url],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)

    assert seen == {
        "total": 2,
        "account": "Müller & Söhne",
        "found": 1,
        "tasks": 4,
        "title": "Größe\nzwei",
        "collection": [True, False],
        "fields": True,
        "bulk": [2, ["ENTITY_IS_DELETED:entity is deleted: --"], 0],
        "departments": ['Vertrieb, "Süd"\nzwei'],
        "usage": 100_000,
        "refused": "INVALID_FIELD",
    }
