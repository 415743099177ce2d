"""An enrichment that is answered in part: what was not answered is asked again."""

from __future__ import annotations

import sys
import textwrap

import pytest

import connectors
from audiencehub.settings import SourceEntry
from audiencehub.steps import land, pull

LOOKUP = '''
    """A lookup that answers what its option says."""
    from audiencehub.connector import Enricher, Spec
    from audiencehub.model import Page, Row, Stream

    SPEC = Spec(name="lookup", label="Lookup", about="For tests",
                enricher="connectors.lookup:Lookup")

    class Lookup(Enricher):
        stream = Stream("technology_install")

        def check(self):
            return "fine"

        def enrich(self, keys):
            known = self.context.options["knows"]
            yield Page([{"about": one} for one in keys if one in known], last=True)

        def answers(self, record):
            return record["about"]

        def rows(self, stream, record):
            return [Row("technology_install", record["about"] + "|crm",
                        {"account_domain": record["about"], "technology": "crm"})]
'''


@pytest.fixture
def lookup(tmp_path):
    folder = tmp_path / "others" / "lookup"
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text(textwrap.dedent(LOOKUP))
    connectors.__path__.append(str(folder.parent))
    yield
    connectors.__path__.remove(str(folder.parent))
    sys.modules.pop("connectors.lookup", None)


@pytest.mark.fault(10)
def test_a_key_without_an_answer_is_asked_again(desk, lookup):
    """An answer that was cut to an empty list would count as asked for thirty days."""

    def enrich(*known):
        desk.runs += 1
        entry = SourceEntry(connector="lookup", options={"knows": list(known)})
        desk.settings.sources["lookup"] = entry
        done = pull.pull(desk.hub, "lookup")
        land.land(desk.hub, "lookup")
        asked = desk.ledger.manifests.cursor("lookup", "technology_install") or {}
        return sum(one.rows for one in done.streams), sorted(asked)

    acme, globex = "acme.example", "globex.example"
    accounts = [
        {"id": one, "values": {"name": one, "domain": one}, "at": "2026-11-01T00:00:00+00:00"}
        for one in (acme, globex)
    ]
    desk.run(crm={"account": [{"records": accounts, "last": True, "full": True}]})

    assert enrich() == (0, [])
    assert enrich(acme) == (1, [acme])
    assert enrich(acme, globex) == (1, [acme, globex])
    assert enrich(acme, globex) == (0, [acme, globex])
