"""What a model learns to tell apart."""

from __future__ import annotations

from datetime import datetime

import numpy as np

from audiencehub.predict.features import Connection, Ids, stored

_CUSTOMERS = """
    SELECT contact_id FROM "order" WHERE "at" < $until AND contact_id IS NOT NULL
    UNION
    SELECT c.contact_id FROM contact c JOIN deal d ON d.account_id = c.account_id
    WHERE d.is_won AND d.close_date < CAST($until AS DATE)"""


def not_yet_customers(connection: Connection, at: datetime) -> Ids:
    """Contacts who have neither ordered nor belong to an account with a deal won, at an instant.

    Only those who existed then.
    """
    return _ids(
        connection,
        "SELECT contact_id FROM contact WHERE coalesce(created_at, $until) <= $until "
        f"AND contact_id NOT IN ({_CUSTOMERS})",
        at,
    )


def customers_at(connection: Connection, at: datetime) -> Ids:
    """Contacts who had ordered, or whose account had won a deal, before an instant."""
    return _ids(connection, _CUSTOMERS, at)


def _ids(connection: Connection, sql: str, until: datetime) -> Ids:
    found = connection.execute(
        f"SELECT contact_id FROM ({sql}) ORDER BY 1", {"until": stored(until)}
    )
    return np.asarray(found.fetchnumpy()["contact_id"], dtype=np.int32)
