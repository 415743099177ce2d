"""The RFM trait on real purchases, against pandas."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from audiencehub.rules import compile_book
from audiencehub.testing.world import World
from tests.cdnow import CUSTOMERS, ORDERS, TOTAL, by_pandas, orders
from tests.rules.kit import WIDE
from tests.rules.traitkit import book_of, traits

pytestmark = pytest.mark.needs("cdnow")
CLOCK = datetime(1998, 7, 1, 16, tzinfo=UTC)


def test_quintiles_and_cells_are_those_of_an_independent_computation():
    """Cells that lose customers, or whose totals do not hold, steer the budget wrongly."""
    frame = orders()
    wanted = by_pandas(frame)
    book = book_of(traits({"trait": "rfm", "rfm": {"order": {"sum": "total"}}}))
    with World().connect(WIDE) as connection:
        rows = frame.assign(id=frame["customer"].astype(int))
        connection.register("rows", rows)
        connection.execute("INSERT INTO contact(contact_id) SELECT DISTINCT id FROM rows")
        connection.execute(
            'INSERT INTO "order"(contact_id, "at", total) '
            "SELECT id, day + INTERVAL 12 HOUR, CAST(cents AS DECIMAL(18, 2)) / 100 FROM rows"
        )
        compile_book(book, CLOCK, None, WIDE).run(connection)
        found = connection.execute("SELECT * FROM trait_contact").df().set_index("contact_id")

    assert len(found) == CUSTOMERS == found["rfm.cell"].value_counts().sum()
    assert found["rfm.count"].sum() == ORDERS
    assert sum((Decimal(str(one)) for one in found["rfm.sum"]), Decimal(0)) == TOTAL
    wanted.index = wanted.index.astype(int)
    for part in ("recency", "frequency", "monetary", "cell", "count"):
        assert found[f"rfm.{part}"].sort_index().tolist() == wanted[part].sort_index().tolist()
