"""Files keep the contract of a source; their vendor is a folder."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import ClassVar

import pytest

from audiencehub import connector
from audiencehub.connector import Source
from audiencehub.sandbox.company import Company
from audiencehub.sandbox.drops import write_drops
from audiencehub.testing.bench import Bench
from audiencehub.testing.source import PullContract


class Drops(Bench):
    """A folder that gets new files every day."""

    def next_day(self) -> None:
        """What happened since arrives in files of its own."""
        before = self.company
        super().next_day()
        write_drops(self.root / "drops", self.company, before)


class TestEventDrops(PullContract):
    """Events, as JSON lines."""

    connector = "files"
    options: ClassVar = {"preset": "events_jsonl", "path": "drops/events-*.jsonl"}

    @pytest.fixture
    def bench(self, tmp_path: Path) -> Iterator[Bench]:
        """The folder with the files of the first day."""
        found = Drops(connector.spec("files"), self.options, tmp_path)
        write_drops(tmp_path / "drops", found.company)
        yield found

    def refused(self, bench: Bench) -> Source:
        """A folder without the file is what a wrong password is elsewhere."""
        return bench.source(path="drops/elsewhere-*.csv")

    def holds(self, company: Company) -> Mapping[str, int]:
        """Every event, once."""
        return {"event": len(company.events)}


class TestOrderDrops(TestEventDrops):
    """Orders, as CSV."""

    options: ClassVar = {"preset": "orders_csv", "path": "drops/orders-*.csv"}

    def holds(self, company: Company) -> Mapping[str, int]:
        """Every order, once."""
        return {"order": len(company.orders)}


class TestOrderLineDrops(TestEventDrops):
    """The products of orders, as CSV."""

    options: ClassVar = {"preset": "order_lines_csv", "path": "drops/lines-*.csv"}

    def holds(self, company: Company) -> Mapping[str, int]:
        """Every line, once."""
        return {"order_line": len(company.order_lines)}


class TestSubscriptionDrops(TestEventDrops):
    """Contracts, as CSV; one that changed comes again."""

    options: ClassVar = {"preset": "subscriptions_csv", "path": "drops/subscriptions-*.csv"}

    def holds(self, company: Company) -> Mapping[str, int]:
        """Every contract, once; of later days the files hold some of them twice."""
        return {"subscription": len(company.subscriptions)} if company.day == 0 else {}


class TestTicketDrops(TestEventDrops):
    """Tickets, as CSV; one that changed comes again."""

    options: ClassVar = {"preset": "tickets_csv", "path": "drops/tickets-*.csv"}

    def holds(self, company: Company) -> Mapping[str, int]:
        """Every ticket, once; of later days the files hold some of them twice."""
        return {"ticket": len(company.tickets)} if company.day == 0 else {}


class TestSurveyDrops(TestEventDrops):
    """Answers, as CSV."""

    options: ClassVar = {"preset": "surveys_csv", "path": "drops/surveys-*.csv"}

    def holds(self, company: Company) -> Mapping[str, int]:
        """Every answer, once."""
        return {"survey_answer": len(company.survey_answers)}


class TestEmailDrops(TestEventDrops):
    """What became of e-mails, as JSON lines."""

    options: ClassVar = {"preset": "emails_jsonl", "path": "drops/email-*.jsonl"}

    def holds(self, company: Company) -> Mapping[str, int]:
        """Every action, once."""
        return {"email_engagement": len(company.email_actions)}


class TestConsentDrops(TestEventDrops):
    """Statements of the preference centre, each by file and line."""

    options: ClassVar = {"preset": "consent_csv", "path": "drops/consent-*.csv"}

    def holds(self, company: Company) -> Mapping[str, int]:
        """Every statement, once."""
        return {"consent": len(company.consents)}


class TestIntentDrops(TestEventDrops):
    """A week's scores, in Bombora's shape."""

    options: ClassVar = {"preset": "bombora", "path": "drops/intent-*.csv"}
    repeats: ClassVar = {"account": "each score names its company, in one spelling or another"}

    def holds(self, company: Company) -> Mapping[str, int]:
        """Every score, once."""
        return {"intent_signal": len(company.surges)}
