"""Rule files: all faults at once, each with its line and a way out."""

from __future__ import annotations

import textwrap
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from audiencehub.errors import ConfigError, Faults
from audiencehub.rules import load
from audiencehub.rules.language.patterns import BadPattern, translate

HEAD = "segment: {name}\nlabel: L\nmodel: intent\nof: {of}\n"


def write(folder: Path, name: str, body: str, of: str = "contact") -> None:
    text = HEAD.format(name=name, of=of) + textwrap.dedent(body)
    (folder / f"{name}.yaml").write_text(text, "utf-8")


def faults(folder: Path) -> list[tuple[str, int, str, str]]:
    with pytest.raises(Faults) as caught:
        load(folder, zone=ZoneInfo("UTC"), root=folder)
    return [(one.path, one.line, one.message, one.hint) for one in caught.value.faults]


def one_fault(folder: Path, when: str, of: str = "contact") -> tuple[str, str]:
    write(folder, "x", f"when: {when}\n", of)
    found = faults(folder)
    assert len(found) == 1, found
    assert found[0][1] == 5
    return found[0][2], found[0][3]


def test_three_faults_are_three_with_their_lines(tmp_path):
    """Whoever corrects one fault at a time gives up on the third."""
    write(
        tmp_path,
        "x",
        """\
        when:
          all:
            - account.industri: fintech
            - account.employee_count: {at_leest: 5}
            - event: {name: login, within: 30}
        """,
    )

    found = faults(tmp_path)

    assert [(line, hint) for _, line, _, hint in found] == [
        (7, "Did you mean account.industry?"),
        (8, "Did you mean at_least?"),
        (9, "Write for example: 30 days, 6 hours, 1 month"),
    ]


def test_faults_of_all_files_come_together(tmp_path):
    """A fault in one file must not hide those of the next; a duplicate key not those below it."""
    write(tmp_path, "a", "when: {title: x}\nlabel: again\nownr: me\n")
    write(tmp_path, "b", "when:\n")
    write(tmp_path, "c", "when: {segment: a}\n")

    found = faults(tmp_path)

    assert [(path, line) for path, line, _, _ in found] == [
        ("a.yaml", 6),
        ("a.yaml", 7),
        ("b.yaml", 5),
    ]
    assert "twice" in found[0][2]
    assert found[1][3] == "Did you mean owner?"
    assert "match_all: true" in found[2][3]


WHENS = {
    "{}": ("when is empty", "match_all: true"),
    "[{title: x}]": ("is a list", "all: or any:"),
    "{all: []}": ("at least one item", "per item"),
    "{title: x, country: US}": ("several at once", "own `-` item"),
    "{match_all: false}": ("only be true", "match_all: true"),
    "{title: null}": ("null cannot", "known: false"),
    "{title: 5}": ("is not text", '"5"'),
    "{title: {at_least: 5}}": ("does not apply", "starts_with"),
    "{title: {}}": ("has no test", "Add one of"),
    "{title: {or_unknown: true}}": ("has no test", "Add one of"),
    "{title: {is: a, or_unknown: false}}": ("only be true", "leave it out"),
    "{is_test: [true, false]}": ("takes no such value", "is_not"),
    "{account.employee_count: many}": ("no whole number", "digits"),
    "{account.employee_count: {between: [5, 1]}}": ("wrong way round", "[low, high]"),
    "{account.employee_count: {between: 5}}": ("two values", "[low, high]"),
    "{account.annual_revenue: {at_least: 5 EUR}}": ("EUR are not available yet", "USD"),
    "{account.annual_revenue: {at_least: 5.005}}": ("no amount", "500 USD"),
    "{account.annual_revenue: {at_least: 1000000000000000}}": ("no amount", "500 USD"),
    "{birth_date: 2026-02-30}": ("no date", "2026-11-16"),
    "{birth_date: {within: 6 hours}}": ("no hours", "days"),
    "{created_at: 30 days}": ("no date", "{within: 30 days}"),
    "{created_at: {within: 0 days}}": ("no duration", "30 days"),
    "{created_at: {within: 999999999 days}}": ("no duration", "30 days"),
    "{title: {matches: '(?=a)'}}": ("uses (?", "Use literals"),
    "{title: {matches: '(a+)+'}}": ("repeats a group", "Use literals"),
    "{title: {matches: '('}}": ("no regular expression", "Use literals"),
    "{title: {matches: '((((a{500}){2}){2}){2}){2}'}}": ("repeats", "Use literals"),
    "{trait.ltv: {at_least: 5}}": ("there is no trait.ltv", "traits/"),
    "{custom.tier: gold}": ("no custom field", "[custom.contact.tier]"),
    "{account.custom.tier: gold}": ("no custom field", "[custom.account.tier]"),
    "{contact.custom_tier: gold}": ("no condition", "Use a field such as"),
    "{rank: {}}": ("says not by what", "annual_revenue"),
    "{acount.industry: x}": ("no condition", "account.industry"),
    "{consent: granted}": ("never a condition", "always apply"),
    "{uses: {}}": ("says not which", "technology"),
    "{uses: {technology: x, since: 2025-01-01}}": ("test of time", "within"),
    "{uses: {technology: x, within: 30 days}}": ("no key of uses", "since"),
    "{dropped: {}}": ("says not which", "technology"),
    "{dropped: {technology: x, count: 2}}": ("counts no rows", "Put it under not:"),
    "{intent: {topic: x, sum: {of: score, at_least: 1}}}": ("counts no rows", "strength"),
    "{intent: {topic: x, decay: 5}}": ("no key of intent", "half_life"),
    "{intent: {topic: x, strength: {at_least: 5}}}": ("not how it fades", "half_life: 14 days"),
    "{intent: {topic: x, half_life: 2 days}}": ("decays nothing", "strength"),
    "{intent: {strength: 5, half_life: 6 hours}}": ("no number of days", "14 days"),
    "{intent: {strength: 5, half_life: 2 years}}": ("no number of days", "14 days"),
    "{ticket: {subject: x}}": ("is a field of the row", "where"),
    "{subscription: {next: 5 days}}": ("looks ahead", "within"),
    "{survey: {where: {scor: 5}}}": ("no field of survey_answer", "score"),
    "{trend: {window: 1 day, change: 5%}}": ("says not of what", "event"),
    "{trend: {of: evnt, window: 1 day, change: 5%}}": ("no trend of 'evnt'", "event"),
    "{trend: {of: intent, window: 1 day, change: 5%}}": ("no trend of 'intent'", "event"),
    "{trend: {of: event, change: 5%}}": ("over how long", "window: 30 days"),
    "{trend: {of: event, window: 1 day}}": ("has no test", "change: {at_most: -50%}"),
    "{trend: {of: deal, window: 3 hours, change: 5%}}": ("dated by days", "Use days"),
    "{trend: {of: event, window: 1 day, change: {at_most: halved}}}": ("no share", "-50%"),
    "{trend: {of: event, window: 1 day, change: 5%, count: 3}}": ("compares anyway", "Remove"),
    "{trend: {of: event, window: 1 day, change: 5%, nme: x}}": ("no key of trend", "name"),
    "{trend: {of: event, window: 1 day, change: 5%, sum: {of: name}}}": ("has no sum", "value"),
    "{sequence: {then: {event: b}}}": ("has no first", "cart_updated"),
    "{sequence: {first: {event: a}}}": ("has no then", "then_not"),
    "{sequence: {first: {event: a}, then: {event: b}, then_not: {event: c}}}": ("both", "one of"),
    "{sequence: {first: {title: a}, then: {event: b}}}": ("no step of a sequence", "event"),
    "{sequence: {first: {uses: a}, then: {event: b}}}": ("no step of a sequence", "event"),
    "{sequence: {first: {event: a, order: b}, then: {event: b}}}": ("one leaf", "event"),
    "{sequence: {first: {event: a}, then: {order: {within: 3 days}}}}": ("own", "beside first"),
    "{sequence: {first: {event: {count: 2}}, then: {event: b}}}": ("no key of first", "name"),
    "{sequence: {first: {event: {next: 2 days}}, then: {event: b}}}": ("no key of first", "name"),
    "{sequence: {first: {event: a}, then: {event: b}, within: soon}}": ("no duration", "30 days"),
    "{intent: {topic: x, next: 5 days}}": ("looks ahead", "within"),
    "{event: {path: /x}}": ("is a field of the row", "where"),
    "{event: {where: {pth: /x}}}": ("no field of event", "path"),
    "{event: {where: {}}}": ("where is empty", "leave where out"),
    "{event: {count: 1, sum: {of: value, at_least: 1}}}": ("several aggregates", "one leaf"),
    "{event: {sum: {at_least: 1}}}": ("says not of what", "value"),
    "{event: {sum: {of: name, at_least: 1}}}": ("has no sum", "value"),
    "{event: {median: {of: value}}}": ("no key of event", "min"),
    "{segment: nobody}": ("which is no segment", "x"),
    "{segment: x}": ("in a circle: x -> x", "Remove one"),
}


@pytest.mark.parametrize("when", WHENS)
@pytest.mark.fault(19)
def test_a_wrong_condition_is_one_fault_with_a_way_out(when, tmp_path):
    """A condition that cannot be meant is refused before it selects the wrong people."""
    message, hint = WHENS[when]

    found = one_fault(tmp_path, when)

    assert message in found[0], found
    assert hint in found[1], found


def test_an_account_rule_has_no_contact(tmp_path):
    """An account has many contacts: a test of one of them would be of a random one."""
    message, hint = one_fault(tmp_path, "{contact.title: x}", "account")

    assert "many contacts" in message
    assert "of: contact" in hint


def test_an_account_rule_cannot_refer_to_contacts(tmp_path):
    """Whether an account is in a segment of contacts has no answer."""
    write(tmp_path, "people", "when: {title: x}\n")
    write(tmp_path, "x", "when: {segment: people}\n", "account")

    assert [(path, line) for path, line, _, _ in faults(tmp_path)] == [("x.yaml", 5)]


def test_a_circle_is_named(tmp_path):
    """Segments that wait for each other would never be evaluated."""
    write(tmp_path, "a", "when: {segment: b}\n")
    write(tmp_path, "b", "when: {not: {segment: c}}\n")
    write(tmp_path, "c", "when: {any: [{segment: a}, {title: x}]}\n")

    assert [message for _, _, message, _ in faults(tmp_path)] == [
        "segments refer in a circle: a -> b -> c -> a"
    ]


KEYS = {
    "activate: [{to: x}]": "as what",
    "activate: [{as: tag}]": "where to",
    "activate: [{to: x, as: tagg}]": "not known",
    "activate: [{to: x, as: tag}, {to: x, as: tag}]": "twice",
    "activate: [{to: x, as: list, max_removals: some}]": "no limit",
    "activate: [{to: x, as: list, most: many}]": "no number",
    "activate: [{to: x, as: list, most: 0}]": "no number",
    "activate: [{to: x, as: tag, most: 5}]": "for lists",
    "activate: [{to: x, as: tag, exclude: [y]}]": "for lists",
    "activate: [{to: x, as: list, exclude: [nobody]}]": "no segment",
    "activate: [{to: x, as: list, use: avoid}]": "not known",
    "stay: 3 days": "mapping",
    "stay: {at_least: soon}": "no duration",
    "experiment: {holdout: 60%}": "no share",
    "review_by: soon": "no date",
    "goal: 5": "must be text",
    "examples: []": "at least one",
    "examples: [{given: {}}]": "member",
    "examples: [{member: true}]": "no given",
    "examples: [{given: {acount: {}}, member: true}]": "no part of given",
    "examples: [{given: {event: [{nme: x}]}, member: true}]": "no field of event",
    "examples: [{given: {contact: {is_test: maybe}}, member: true}]": "neither true nor false",
}


@pytest.mark.parametrize("body", KEYS)
@pytest.mark.fault(19)
def test_a_wrong_key_is_a_fault(body, tmp_path):
    """What stands beside the condition decides where people are sent: it is read as strictly."""
    write(tmp_path, "x", f"when: {{title: x}}\n{body}\n")

    found = faults(tmp_path)

    assert len(found) == 1, found
    assert KEYS[body] in found[0][2]
    assert found[0][1] == 6


def test_file_name_is_the_id(tmp_path):
    """Two names for one segment would be two tags in the CRM."""
    write(tmp_path, "x", "when: {title: x}\n")
    (tmp_path / "x.yaml").rename(tmp_path / "y.yaml")
    (tmp_path / "z.yml").write_text("segment: z\n")
    (tmp_path / "sub").mkdir()
    write(tmp_path / "sub", "y", "when: {title: x}\n")
    (tmp_path / "empty.yaml").write_text("# nothing\n")

    assert [(path, message) for path, _, message, _ in faults(tmp_path)] == [
        ("empty.yaml", "is empty"),
        ("y.yaml", "has the id of sub/y.yaml"),
        ("y.yaml", "is called 'x' in the file y.yaml"),
        ("z.yml", "ends in .yml"),
    ]


@pytest.mark.parametrize("kind", ["trait", "ladder"])
def test_a_trait_or_ladder_in_the_wrong_folder_is_one_fault(tmp_path, kind):
    """Four complaints about keys hide the one thing to do: move the file."""
    (tmp_path / "x.yaml").write_text(f"{kind}: x\nlabel: L\nof: contact\nabout: a\n", "utf-8")

    ((_, line, message, hint),) = faults(tmp_path)

    assert (line, message) == (1, f"is a {kind} among segments")
    assert hint == f"Move it below the folder {kind}s/"


@pytest.mark.fault(19)
def test_missing_keys_and_folder(tmp_path):
    """A half-written rule must not run, and no folder is not an empty folder."""
    (tmp_path / "x.yaml").write_text("when: {title: x}\n")

    assert [message for _, _, message, _ in faults(tmp_path)] == [
        "has no label",
        "has no model",
        "has no of",
        "has no segment",
    ]
    with pytest.raises(ConfigError, match="no folder of rules"):
        load(tmp_path / "absent", zone=ZoneInfo("UTC"))


def test_twenty_five_faults_are_twenty_five(tmp_path):
    """The count at the end is the work left to do."""
    for number in range(5):
        body = "".join(f"    - account.industri{n}: x\n" for n in range(5))
        write(tmp_path, f"s{number}", "when:\n  all:\n" + body)

    assert len(faults(tmp_path)) == 25


def test_version_follows_meaning_alone(tmp_path):
    """A plan is void when a rule's meaning changes, and only then."""

    def version(body: str) -> str:
        write(tmp_path, "x", body)
        return load(tmp_path, zone=ZoneInfo("UTC")).segments["x"].version

    first = version("when: {title: x}\n")

    assert version("# a comment\ngoal: g\nwhen:\n  title: {is: x}\n") == first
    assert version("when: {title: y}\n") != first
    assert version("when: {title: x}\nstay: {at_least: 1 day}\n") != first


@pytest.mark.parametrize(
    "pattern", ["a**", "\\bx", "\\1", "(?P<a>x)", "[a", "[[:alpha:]]", "x{1", "a\\"]
)
def test_patterns_that_differ_between_engines_are_refused(pattern):
    """A pattern that means two things selects two sets of people."""
    with pytest.raises(BadPattern):
        translate(pattern)
