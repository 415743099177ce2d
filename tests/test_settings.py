"""Settings: every fault at once, with its line, and the nearest name."""

from __future__ import annotations

from pathlib import Path

import pytest

from audiencehub.errors import ConfigError, Faults
from audiencehub.settings import find_root, instant, load, secret

GOOD = '[company]\nname = "Acme Analytics"\ntimezone = "Europe/Berlin"\n'


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "deployments").mkdir()
    return tmp_path


def write(project: Path, text: str) -> Path:
    (project / "deployments" / "prod.toml").write_text(text, "utf-8")
    return project


def test_all_faults_at_once_with_lines(project):
    """If it fails, a person mends settings one refusal at a time."""
    text = (
        GOOD
        + '[destinations.meta]\nconnector = "meta_ads"\nmoed = "live"\n'
        + '[guards]\nfirst_run = "maybe"\n'
    )

    with pytest.raises(Faults) as found:
        load("prod", write(project, text))

    assert [(one.line, one.hint) for one in found.value.faults] == [
        (6, "Did you mean mode?"),
        (8, ""),
    ]


def test_missing_environment_names_those_there_are(project):
    """If it fails, a misspelt --env says nothing useful."""
    write(project, GOOD)

    with pytest.raises(ConfigError, match="prod"):
        load("prdo", project)


def test_broken_toml_has_its_line(project):
    """If it fails, a missing quote is a traceback."""
    with pytest.raises(Faults) as found:
        load("prod", write(project, '[company]\nname = "Acme\n'))

    assert found.value.faults[0].line == 2


def test_unknown_time_zone_is_refused(project):
    """If it fails, a day ends at the wrong midnight without a word."""
    with pytest.raises(Faults, match="did you mean Europe/Berlin"):
        load("prod", write(project, GOOD.replace("Europe/Berlin", "Europe/Berln")))


def test_a_secret_lists_where_it_was_searched(project, monkeypatch):
    """If it fails, nobody knows where to put the token."""
    settings = load("prod", write(project, GOOD))
    monkeypatch.delenv("CRM_TOKEN", raising=False)

    with pytest.raises(ConfigError, match="environment variable CRM_TOKEN"):
        secret(settings, "hubspot", {"token": {"env": "CRM_TOKEN"}})("token")


def test_a_secret_file_must_be_private(project):
    """If it fails, other users of the machine read the token."""
    settings = load("prod", write(project, GOOD))
    path = project / "token"
    path.write_text("t0ken")
    path.chmod(0o644)
    resolve = secret(settings, "hubspot", {"token": {"file": str(path)}})

    with pytest.raises(ConfigError, match="chmod 600"):
        resolve("token")
    path.chmod(0o600)

    assert resolve("token") == "t0ken"


def test_a_date_is_the_end_of_that_day_in_the_company(project):
    """If it fails, --as-of misses the last hours of the day it names."""
    settings = load("prod", write(project, GOOD))

    assert instant("2026-07-01", settings.zone).isoformat() == "2026-07-01T21:59:59+00:00"
    with pytest.raises(ConfigError):
        instant("2026-07-01T10:00:00", settings.zone)


def test_guards_of_a_target_narrow_the_general_ones(project):
    """If it fails, a stricter guard of one list is ignored."""
    text = (
        GOOD
        + "[guards]\nremovals_count = 50\n"
        + '[destinations.meta_ads]\nconnector = "meta_ads"\n'
        + '[targets."meta_ads/list/vip"]\nguards = { removals_count = 5 }\n'
    )
    settings = load("prod", write(project, text))

    assert settings.guards_of("meta_ads/list/vip").removals_count == 5
    assert settings.guards_of("hubspot/contact/tags").removals_count == 50


def test_the_project_is_found_from_below(project, monkeypatch):
    """If it fails, audiencehub works in one folder only."""
    (project / "segment_rules" / "action").mkdir(parents=True)
    monkeypatch.chdir(project / "segment_rules" / "action")

    assert find_root() == project.resolve()
