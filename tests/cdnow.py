"""RFM of the CDNOW customers, computed with pandas alone: what the trait is held against.

Published figures of the file: 69,659 transactions of 23,570 customers, $2,500,315.63.
"""

from __future__ import annotations

from decimal import Decimal
from importlib.metadata import distribution

import pandas as pd

CUSTOMERS, ORDERS, TOTAL = 23_570, 69_659, Decimal("2500315.63")
MAP = {
    5: ("new", "potential_loyalist", "potential_loyalist", "champions", "champions"),
    4: ("promising", "potential_loyalist", "potential_loyalist", "loyal", "loyal"),
    3: ("about_to_sleep", "about_to_sleep", "need_attention", "loyal", "loyal"),
    2: ("hibernating", "hibernating", "at_risk", "at_risk", "cant_lose"),
    1: ("lost", "hibernating", "at_risk", "at_risk", "cant_lose"),
}
"""Recency to the cells of value 1 to 5."""


def orders() -> pd.DataFrame:
    """customer, day and cents of every transaction; duplicates kept, as the file has them."""
    path = distribution("Lifetimes").locate_file("lifetimes/datasets/CDNOW_master.txt")
    lines = [line.split() for line in path.read_text().splitlines()[1:] if line.strip()]
    frame = pd.DataFrame(lines).iloc[:, [0, 1, 3]]
    frame.columns = ["customer", "day", "amount"]
    frame["day"] = pd.to_datetime(frame["day"], format="%Y%m%d")
    frame["cents"] = frame["amount"].map(lambda text: int(Decimal(text) * 100))
    return frame


def by_pandas(frame: pd.DataFrame) -> pd.DataFrame:
    """customer to last day, count, cents, three quintiles and the cell."""
    people = frame.groupby("customer").agg(
        last=("day", "max"), count=("day", "size"), cents=("cents", "sum")
    )
    for part, column in (("recency", "last"), ("frequency", "count"), ("monetary", "cents")):
        # How many are strictly below, as a share of all, in fifths.
        below = people[column].rank(method="min").astype(int) - 1
        people[part] = 5 * below // len(people) + 1
    value = ((people["frequency"] + people["monetary"]) / 2 + 0.5).astype(int)
    people["cell"] = [MAP[r][v - 1] for r, v in zip(people["recency"], value, strict=True)]
    return people
