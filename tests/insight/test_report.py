"""The HTML report, from a real ledger and the shipped rules."""

from __future__ import annotations

import html
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from audiencehub.insight import report
from audiencehub.insight.shelves import LAYER_OF, shelves
from audiencehub.ledger import Ledger
from audiencehub.model import Figures, Processed, Target
from audiencehub.opening import load_rules
from audiencehub.rules.book import MODELS
from audiencehub.settings import load

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 11, 17, 9, tzinfo=UTC)
BOOK = load_rules(load("sandbox", ROOT))


def move(ledger: Ledger, at: datetime, number: int, out: str, into: str) -> None:
    run = f"r{at:%m%d}-{number}"
    ledger.runs.start(run, "sync", "test", at, pid=1, boot_id="b", args={})
    left = [("contact", number, f"lifecycle.{out}", "moved")] if out else []
    entered = [("contact", number, f"lifecycle.{into}", "moved", "v1")]
    ledger.membership.record(run, at, entered, left)


@pytest.fixture
def page(tmp_path):
    """Seventeen people: one went from lead to customer lately, one long ago."""
    ledger = Ledger.open(tmp_path / "home")
    for number, day in ((1, 200), (2, 200)):
        move(ledger, NOW - timedelta(days=day), number, "", "lead")
    move(ledger, NOW - timedelta(days=150), 1, "lead", "mql")
    move(ledger, NOW - timedelta(days=20), 2, "lead", "customer")
    sizes = dict.fromkeys(BOOK.segments, 3) | {"gone_rule": 2, "lifecycle.customer": 17}
    found = {
        "sizes": sizes,
        "totals": {"contact": 34, "account": 10},
        "entered": {"lifecycle.customer": 4},
        "left": {"lifecycle.lead": 5},
        "models": ["model likely_to_buy: held-out AUC 0.84"],
    }
    path = report.write(
        tmp_path, "r1", "completed", {"segment": found}, BOOK, load("sandbox", ROOT), NOW, ledger
    )
    ledger.close()
    return path.read_text("utf-8")


def row(page: str, label: str) -> str:
    """The text of the table row that begins with the label."""
    whole = page.replace("<wbr>", "")
    (found,) = re.findall(rf"<tr><td[^>]*><b>{re.escape(label)}</b>.*?</tr>", whole, re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", found)).split())


def test_a_ladder_shows_its_rungs_in_order_with_days_and_moves(page):
    """Whoever asks how long people stay a lead, and what they become, reads it here; a move from
    before the stretch would be old news."""
    rungs = [one.label for one in BOOK.ladders["lifecycle"].rungs]
    assert [page.index(f"<b>{label}</b>") for label in rungs] == sorted(
        page.index(f"<b>{label}</b>") for label in rungs
    )
    lead = row(page, "Stage: lead")
    assert "180 Stage: customer 1 (100%)" in lead
    assert "Stage: marketing qualified" not in lead
    assert "−5" in lead
    assert re.search(r"17 50\.0% \+4", row(page, "Stage: customer"))


def test_each_segment_says_what_it_is_for(page):
    """A segment without goal and KPIs in the report is a number that nobody acts on."""
    for name, rule in BOOK.segments.items():
        if rule.ladder:
            continue
        said = row(page, rule.label)
        assert name in said
        assert rule.goal in said
        assert all(kpi in said for kpi in rule.kpis)


def test_every_segment_has_one_place(page):
    """One that is on no shelf has vanished; one on two is counted twice."""
    sizes = dict.fromkeys(BOOK.segments, 3) | {"gone_rule": 2}
    names = [name for shelf in shelves(sizes, BOOK) for name in shelf.names]

    assert sorted(names) == sorted(sizes)
    assert tuple(LAYER_OF) == MODELS
    assert page.index("Without a rule now") < page.index("gone_rule")


def test_models_and_a_run_that_sends_nothing_are_told(page):
    """A score without its AUC is trusted blindly; a run of `segment` has delivered nothing."""
    assert "held-out AUC 0.84" in page
    assert "Everything planned was delivered" not in page


def test_guards_say_of_which_segment_and_a_first_plan_is_not_buried(tmp_path):
    """Twelve lines of figures without a name hide the one thing to know: look, then approve."""
    ledger = Ledger.open(tmp_path / "home")
    adds = {"name": "adds", "verdict": "hold", "segment": "likely_to_buy", "message": "202 adds"}
    first = {"name": "first_run", "verdict": "hold", "segment": "", "message": "the first plan"}
    fine = {"name": "removals", "verdict": "ok", "segment": "", "message": "no removal"}
    plan = {"plan_id": "p1", "target": "hubspot/contact/tags", "kind": "change", "verdict": "hold"}
    plan |= {"adds": 202, "removes": 0, "writes": 150, "calls": 1, "excluded": {}}
    plans = [plan | {"guards": [adds, fine]}, plan | {"guards": [adds, fine, first]}]
    plans.append(plan | {"verdict": "go", "guards": [fine], "excluded": {"no_consent": 3}})
    settings = load("sandbox", ROOT)
    path = report.write(tmp_path, "r1", "held", {"plans": plans}, BOOK, settings, NOW, ledger)
    ledger.close()

    later, new, free = re.findall(
        r'<td class="guards">(.*?)</td>', path.read_text("utf-8"), re.DOTALL
    )

    assert "likely_to_buy: 202 adds" in later
    assert "no removal" not in later
    assert new.index("the first plan") < new.index("and 1 more guard<") < new.index("202 adds")
    assert re.search(r"all passed</small></div>\s*<small>left out: 3 no_consent", free)


def test_two_plans_of_one_target_have_an_outcome_each(tmp_path):
    """Else a withdrawal of two people is told as if all fifteen of its list had gone."""
    ledger = Ledger.open(tmp_path / "home")
    plan = {"target": "meta_ads/list/vip", "verdict": "go", "guards": [], "excluded": {}}
    plan |= {"adds": 0, "removes": 2, "writes": 2, "calls": 1, "kind": "consent", "plan_id": "p1"}
    rest = plan | {"adds": 8, "removes": 5, "writes": 13, "kind": "change", "plan_id": "p2"}
    sent = {"p1": {"confirmed": 2}, "p2": {"confirmed": 12, "quarantined": 1}}
    pushed = [{"target": "meta_ads/list/vip", "drifted": 0, "plans": sent}]
    path = report.write(
        tmp_path,
        "r1",
        "completed",
        {"plans": [plan, rest], "pushed": pushed},
        BOOK,
        load("sandbox", ROOT),
        NOW,
        ledger,
    )
    ledger.close()

    rows = re.findall(r"plan (p\d).*?<td>(\d+ confirmed.*?)\s*</td>", path.read_text(), re.DOTALL)

    assert [name for name, _ in rows] == ["p1", "p2"]
    assert rows[0][1].startswith("2 confirmed") and "rejected" not in rows[0][1]
    assert rows[1][1].startswith("12 confirmed") and "1 rejected" in rows[1][1]


def test_what_an_approval_sent_is_told_though_the_run_planned_nothing(tmp_path):
    """If this fails, the report of an approved plan says that nothing was sent."""
    ledger = Ledger.open(tmp_path / "home")
    sent = {"p22": {"confirmed": 80, "rejected": 1}}
    pushed = [{"target": "meta_ads/list/v_<p", "drifted": 0, "plans": sent}]
    settings, summary = load("sandbox", ROOT), {"pushed": pushed}
    path = report.write(tmp_path, "r1", "completed", summary, BOOK, settings, NOW, ledger)
    ledger.close()

    text = path.read_text("utf-8")

    assert "Delivered, but for 1 row;" in text
    assert "Nothing was planned" not in text
    assert "meta_<wbr>ads/<wbr>list/<wbr>v_<wbr>&lt;p" in text
    assert re.search(r"<td>p22</td><td>80 confirmed, .*1 rejected", text)


def test_lists_with_what_their_platforms_told(tmp_path):
    """Who runs a campaign looks at the report: a list too small, or half refused, is seen there."""
    ledger = Ledger.open(tmp_path / "home")
    list_id = "google_ads/list/vip"
    ledger.targets.keep(Target("google_ads", "list", "vip", {"id": "1"}, "Größte Kunden"))
    for days, share in ((9, 0.41), (1, 0.62)):
        told = Figures("too_small", (90, 120), (share, share))
        ledger.figures.keep(list_id, 199, told, NOW - timedelta(days=days))
    ledger.jobs.add(list_id, {"job": 7}, NOW - timedelta(days=2))
    (job,) = ledger.jobs.due(NOW)
    ledger.jobs.told(job, Processed("partly", 7, {"NO_CONSENT": 2}), NOW)
    path = report.write(tmp_path, "r1", "completed", {}, BOOK, load("sandbox", ROOT), NOW, ledger)
    ledger.close()

    said = row(path.read_text("utf-8"), list_id)

    assert said == f"{list_id} Größte Kunden 0 90 to 120 62% before: 41% too small to be used 2"
