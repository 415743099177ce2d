"""Fields of one's own: declared in settings, columns like any other, asked for at their sources."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audiencehub.canonical import TABLES, CustomField, origins, tables_with
from audiencehub.cleaning import CLEANERS
from audiencehub.errors import Faults
from audiencehub.privacy.classes import HIDDEN, loggable, privacy_class
from audiencehub.settings import load

ROOT = Path(__file__).parents[1]
HEAD = """\
[company]
name = "Acme Analytics"
[sources.crm]
connector = "hubspot"
[sources.points]
connector = "files"
"""
FIELD = """\
[custom.contact.tier]
type = "text"
unit = ""
privacy = "none"
from = { crm = "tier", points = "Tier" }
"""


@pytest.fixture
def settings(tmp_path):
    (tmp_path / "deployments").mkdir()

    def made(text):
        (tmp_path / "deployments" / "prod.toml").write_text(HEAD + text, "utf-8")
        return load("prod", tmp_path)

    return made


def test_a_custom_field_is_a_column_of_its_entity(settings):
    """Warehouse, audit and rules read columns; a field that is none does not exist for them."""
    tables = settings(FIELD).tables
    field = tables["contact"].field("custom_tier")
    assert (field.type, field.privacy, field.clean) == ("text", "none", "text")
    assert tables["account"] == TABLES["account"]
    assert list(tables) == list(TABLES)
    assert TABLES["contact"].field("custom_tier") is None


@pytest.mark.parametrize("name", ["custom.tier", "contact.custom.tier", "contact.custom_tier"])
def test_sources_and_limits_can_be_set_for_it(settings, name):
    """If it fails, the file with the right tiers cannot be put before the CRM's copy of them."""
    said = settings(
        f'{FIELD}[survivorship]\n"{name}" = ["points", "crm"]\n'
        f'[audit.fields."{name}"]\nfill = 0.5\n'
    )
    assert said.survivorship == {"contact.custom_tier": ["points", "crm"]}
    assert said.audit.of("contact.custom_tier").fill == 0.5


def test_a_field_that_is_none_is_refused_with_the_nearest(settings):
    """A misspelt field would leave its values to chance without a word."""
    with pytest.raises(Faults, match=r"did you mean contact\.custom\.tier\?"):
        settings(f'{FIELD}[survivorship]\n"custom.teir" = ["points"]\n')
    with pytest.raises(Faults, match="written twice"):
        settings(
            f'{FIELD}[survivorship]\n"custom.tier" = ["points"]\n"contact.custom.tier" = ["crm"]\n'
        )


def test_its_privacy_class_is_the_declared_one(settings):
    """If it fails, what settings call sensitive is logged, or what is harmless is blanked."""
    sensitive = FIELD.replace('"none"', '"sensitive"').replace(".tier]", ".health]")
    tables = settings(FIELD + sensitive).tables
    assert privacy_class("contact.custom.tier", tables) == "none"
    assert privacy_class("custom.health", tables) == "sensitive"
    assert privacy_class("custom.unheard_of", tables) == "personal"
    assert loggable("contact", {"custom_tier": "Gold", "custom_health": "x"}, tables) == {
        "custom_tier": "Gold",
        "custom_health": HIDDEN,
    }


def test_each_source_is_asked_for_its_own_name(settings):
    """A CRM asked for a file's column refuses the whole pull."""
    custom = settings(FIELD).custom
    assert origins(custom, "crm") == {"contact": {"custom_tier": "tier"}}
    assert origins(custom, "points") == {"contact": {"custom_tier": "Tier"}}
    assert origins(custom, "other") == {"contact": {}}


def test_what_is_not_said_counts_as_personal():
    """A health score nobody classified would reach an ad platform or a log."""
    assert CustomField(**{"type": "number", "from": {"crm": "x"}}).privacy == "personal"


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ('type = "text"', 'type = "words"', 8),
        ('unit = ""', 'units = ""', 9),
        ("[custom.contact.tier]", "[custom.deal.tier]", 7),
        ("[custom.contact.tier]", '[custom.contact."Tier of it"]', 7),
        ('from = { crm = "tier", points = "Tier" }', "", 7),
        ('from = { crm = "tier", points = "Tier" }', "from = {}", 11),
    ],
)
def test_a_wrong_declaration_is_refused_at_its_line(settings, old, new, line):
    """A misspelt declaration would be a column of unknowns."""
    with pytest.raises(Faults) as caught:
        settings(FIELD.replace(old, new))
    assert any(abs(one.line - line) <= 1 for one in caught.value.faults), caught.value.faults


def test_a_source_that_is_not_there_is_named(settings):
    """A field that comes from nowhere stays blank without a word."""
    with pytest.raises(Faults, match="did you mean points"):
        settings(FIELD.replace("points =", "point ="))


@given(st.sampled_from(sorted(TABLES)), st.sampled_from(["contact", "account"]))
def test_widening_leaves_every_other_table_alone(name, entity):
    """Facts with columns that nobody fills would make every warehouse differ."""
    one = CustomField(**{"type": "date", "from": {"crm": "x"}})
    wider = tables_with({entity: {"x": one}})
    if name != entity:
        assert wider[name] == TABLES[name]
    else:
        assert wider[name].fields == (*TABLES[name].fields, one.field("x"))


def test_every_field_is_said_and_cleaned_by_something_that_exists():
    """A cleaner that is not there fails on the first record of a customer."""
    for table in TABLES.values():
        names = [one.name for one in table.fields]
        assert len(set(names)) == len(names), table.name
        for one in table.fields:
            assert one.about, f"{table.name}.{one.name}"
            assert not one.clean or one.clean in CLEANERS, f"{table.name}.{one.name}"
    sensitive = {one.name for one in TABLES["contact"].fields if one.privacy == "sensitive"}
    assert sensitive == {"gender", "income_band", "family_status"}


def test_the_sandbox_shows_custom_fields_from_crms_and_from_a_file():
    """The shipped example is what people copy."""
    custom = load("sandbox", ROOT).custom
    named = {name for fields in custom.values() for one in fields.values() for name in one.origins}
    assert {"salesforce", "hubspot", "loyalty"} <= named
    assert set(custom) == {"contact", "account"}
