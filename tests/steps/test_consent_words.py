"""Consent that is said in words nobody agreed upon."""

from __future__ import annotations

from audiencehub.model import Need

WORDS = ("maybe", "revoked", "WITHDRAWN ", "opt-out", "yes")


def page(*records):
    return [{"records": list(records), "last": True, "full": True}]


def test_an_unknown_word_is_a_no_and_stops_nobody(desk):
    """One such line must neither end the run for everybody nor let an earlier yes stand."""
    people = [
        {"id": f"c{n}", "values": {"email": f"p{n}@x.example"}} for n in range(len(WORDS) + 1)
    ]
    said = [
        {"id": f"s{n}{word}", "values": {
            "contact_ref": f"c{n}", "purpose": "advertising", "channel": "ads",
            "status": word, "at": at}}
        for n in range(len(WORDS) + 1)
        for word, at in [("granted", "2026-11-01T09:00:00+00:00"),
                         *([(WORDS[n], "2026-11-02T09:00:00+00:00")] if n < len(WORDS) else [])]
    ]  # fmt: skip
    desk.run(crm={"contact": page(*people), "consent": page(*said)})

    need = Need("advertising", "ads")

    assert desk.ledger.consent.allowed(need, range(len(people))) == {len(WORDS)}
