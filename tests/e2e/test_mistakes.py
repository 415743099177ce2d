"""A user's mistakes end in an instruction: where, what, and what to do; never in a traceback."""

from __future__ import annotations

import re

import pytest

from tests.e2e.project import Project

WRONG_TOKEN = '\n[sources.hubspot.options]\ntoken = { env = "HUBSPOT_TOKEN" }\n'
FAULTY = """segment: active_customers
label: Customer
model: lifecycle
of: contact
goal: Nobody who has bought is treated as a stranger
action: Excluded from acquisition campaigns
owner: revops@acme.example
review_by: 2027-06-01
when:
  any:
    - lifecycle_stag: [customer, evangelist]
    - account.employee_count: {at_leest: 3}
    - deal: {where: {is_won: true}, within: 2 moons}
activate:
  - {to: hubspot, as: tag}
examples:
  - given: {contact: {lifecycle_stage: customer}}
    member: true
  - given: {contact: {lifecycle_stage: lead}}
    member: false
"""


def instructions(text: str) -> list[str]:
    """The lines that say what to do."""
    return [line.strip() for line in text.splitlines() if line.strip().startswith("->")]


@pytest.fixture
def project(morning, tmp_path):
    return morning.copy(tmp_path / "mistaken")


@pytest.mark.verify
def test_a_wrong_password_stops_one_source_with_one_instruction(project):
    """If one bad credential stops everything, or shows a traceback, nobody knows what to do."""
    project.settings = project.settings.replace(
        'connector = "hubspot"\npriority = 20', 'connector = "hubspot"\npriority = 20' + WRONG_TOKEN
    )

    done = project.sync(code=1, HUBSPOT_TOKEN="wrong-password-1234")

    assert "Traceback" not in done.text
    assert "wrong-password-1234" not in done.text
    assert len(instructions(done.err)) == 1, done.err
    assert "hubspot" in done.err
    read = done.out.split("Segments")[0]
    assert re.search(r"salesforce\s+│\s+\d", read), "the other sources did not proceed"
    assert re.search(r"product\s+│\s+[\d,]+", read)


def test_wrong_settings_name_file_and_line(project):
    """A typo in the settings must be found before anything starts, and shown where it is."""
    project.settings = project.settings.replace("priority = 20", "prioritty = 20", 1)
    line = next(n for n, x in enumerate(project.settings.splitlines(), 1) if "prioritty" in x)

    done = project.sync(code=2)

    where = f"deployments/sandbox.toml:{line}"
    assert f"{where}: sources.hubspot.prioritty is not a setting" in done.err
    assert "Did you mean priority?" in done.err
    assert "Traceback" not in done.text
    assert done.out == ""


def test_settings_that_are_no_toml_name_the_line(project):
    """Half a table header must not end in a parser's traceback."""
    project.settings = project.settings + "\n[sources.more\n"
    line = next(n for n, x in enumerate(project.settings.splitlines(), 1) if x == "[sources.more")

    done = project.sync(code=2)

    assert f"deployments/sandbox.toml:{line}: is not TOML" in done.err
    assert "Traceback" not in done.text


def test_a_wrong_option_of_a_connector_names_its_entry(project):
    """Options are the connector's own; a misspelt one must not be ignored."""
    project.settings = project.settings.replace("ad_account_id =", "ad_acount_id =")
    line = project.settings.splitlines().index("[destinations.meta_ads]") + 1

    done = project.run("check", code=2)

    assert f"deployments/sandbox.toml:{line}: destinations.meta_ads" in done.err
    assert "Traceback" not in done.text


@pytest.mark.fault(19)
def test_three_faults_of_one_rule_are_three_lines(project):
    """If only the first fault is told, a person corrects, runs and waits three times."""
    path = project.rule("active_customers")
    path.write_text(FAULTY)
    name = path.relative_to(project.root)

    for verb in (("check",), ("sync", "--no-prefect")):
        done = project.run(*verb, code=2)
        found = re.findall(rf"^{re.escape(str(name))}:(\d+): ", done.err, re.MULTILINE)
        assert found == ["11", "12", "13"], done.err
        assert "Traceback" not in done.text
    assert not (project.folder / "ledger.sqlite").exists(), "a sync began in spite of faults"


@pytest.mark.fault(19)
def test_a_key_written_twice_is_refused(project):
    """YAML takes the last of two equal keys without a word; a condition would vanish."""
    path = project.rule("fading_users")
    text = path.read_text().replace("owner:", "owner: someone@acme.example\nowner:", 1)
    path.write_text(text)
    line = [n for n, x in enumerate(text.splitlines(), 1) if x.startswith("owner:")][1]

    done = project.run("check", code=2)

    assert f"{path.relative_to(project.root)}:{line}: " in done.err
    assert "owner" in done.err
    assert "Traceback" not in done.text


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("sync", "--env", "nowhere"), 2),
        (("sync", "--only", "hubspott", "--no-prefect"), 2),
        (("sync", "--as-of", "yesterday", "--no-prefect"), 2),
        (("explain", "nobody@nowhere.example"), 2),
        (("approve", "p99", "--reason", "x"), 2),
        (("sync", "--no-such-option"), 2),
    ],
)
def test_wrong_arguments_exit_two(project: Project, words, code):
    """A script must be able to tell its own mistake from a failure."""
    done = project.run(*words, code=code)

    assert "Traceback" not in done.text
    assert done.err.strip()
