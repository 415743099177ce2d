"""What the realdata environment needs before it runs, and the counts it prints after."""

from __future__ import annotations

from audiencehub.cli.common import say
from audiencehub.ledger import Ledger
from audiencehub.sandbox.company.realdata import locate
from audiencehub.settings import Settings
from audiencehub.warehouse import open_published


def check(settings: Settings) -> None:
    """Raises ConfigError saying how to get the files, where one is missing."""
    if _is(settings):
        locate()


def tell(settings: Settings) -> None:
    """Rows in, rows out: what the real files hold and where every row went."""
    if not _is(settings):
        return
    for line in counts(settings):
        say(line, soft_wrap=True)


def counts(settings: Settings) -> list[str]:
    """The two lines, from the published copy and the quarantine."""
    ledger = Ledger.open(settings.folder)
    aside = sum(
        n for (source, _, _), n in ledger.quarantine.counts().items() if source == "bombora"
    )
    ledger.close()
    connection, _ = open_published(settings.folder)
    (signals,) = connection.execute(
        "SELECT count(*) FROM source_intent_signal WHERE source = 'bombora' AND NOT deleted"
    ).fetchall()[0]
    orders, customers, total = connection.execute(
        "SELECT count(*), count(DISTINCT contact_external_id), sum(total) FROM source_order "
        "WHERE source = 'cdnow' AND NOT deleted"
    ).fetchall()[0]
    connection.close()
    return [
        f"Bombora: {signals:,} rows normalized + {aside:,} in quarantine = {signals + aside:,}.",
        f"CDNOW: {orders:,} orders of {customers:,} customers, {total:,.2f} dollars.",
    ]


def _is(settings: Settings) -> bool:
    return settings.sandbox is not None and settings.sandbox.world == "realdata"
