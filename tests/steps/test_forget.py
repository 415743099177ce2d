"""Forgetting over scripted sources: whose what is, line by line, and what stands afterwards."""

from __future__ import annotations

import gzip
import json

import pytest

from audiencehub import forgetting, rebuild
from audiencehub.errors import ConfigError
from audiencehub.landing import landing
from audiencehub.warehouse.compare import digests

ANN, OLD, BO, DESK_PHONE = (
    "ann@north.example",
    "ann.old@north.example",
    "bo@x.example",
    "+14155550100",
)


def contact(key, **values):
    return {"id": key, "values": values}


def page(*records, full=True):
    return [{"records": list(records), "last": True, "full": full}]


def first(desk):
    """Ann is known to both sources, Bo to one; they share a number, and each did something."""
    return desk.run(
        crm={
            "contact": page(
                contact("1", email=OLD, phone=DESK_PHONE, first_name="Annika"),
                contact("2", email=BO, phone=DESK_PHONE, first_name="Bo"),
                {"id": "9", "skip": "no_use", "values": {"email": BO}},
                {"id": "1", "skip": "no_use", "values": {"email": ANN}},
            )
        },
        shop={
            "contact": page(contact("s1", email=ANN, external_id="C-77")),
            "event": page(
                contact("e1", name="login", at="2026-11-10T08:00:00+00:00", contact_email=OLD),
                contact("e2", name="login", at="2026-11-10T08:00:00+00:00", contact_email=BO),
                contact("e3", name="note", at="2026-11-11T08:00:00+00:00", contact_email=BO,
                        path=f"/ask/{ANN}"),
                contact("e4", name="login", at="2026-11-12T08:00:00+00:00",
                        contact_email="nobody@y.example"),
            ),
        },
    )  # fmt: skip


def second(desk):
    """The CRM now knows Ann by the shop's address: one person."""
    return desk.run(crm={"contact": page(contact("1", email=ANN, first_name="Annika"),
                                         contact("2", email=BO, phone=DESK_PHONE))})  # fmt: skip


def lines(desk, stream):
    """Every landed line of a stream, empty ones too."""
    found = []
    for manifest in desk.ledger.manifests.after(0):
        for entry in manifest.files:
            if manifest.stream == stream:
                raw = gzip.decompress((landing(desk.settings) / entry.path).read_bytes())
                found += raw.decode().splitlines()
    return found


def forget(desk, who=ANN):
    done = forgetting.forget(desk.hub, who, "Ann Admin", "asked by letter")
    assert done.problems == []
    assert done.state == "done"
    return done


def test_all_they_said_and_did_goes_and_nothing_else(desk):
    """An address of last year leads to a person as well as today's; a neighbour's line stays."""
    first(desk)
    second(desk)
    assert desk.rows("SELECT email FROM contact ORDER BY 1") == [(ANN,), (BO,)]

    seen = forgetting.look(desk.hub, "crm:1")
    done = forget(desk)

    assert seen.person == done.person
    assert seen.identifiers == {"email": 2, "external_id": 1, "record": 2}
    assert seen.shared == {"phone": 1}, "the number is Bo's too"
    assert desk.rows("SELECT email, phone FROM contact") == [(BO, DESK_PHONE)]
    assert desk.rows("SELECT source_id FROM event ORDER BY 1") == [("e2",), ("e3",)]
    kept = [json.loads(one) if one else None for one in lines(desk, "event")]
    assert [one and one["id"] for one in kept] == [None, "e2", "e3", "e4"]
    assert kept[2]["values"]["path"] == "/ask/[forgotten]"
    assert done.certificate["removed"]["landing"] == {
        "dropped": {"crm/contact": 3, "shop/contact": 1, "shop/event": 1},
        "blanked": {"shop/event": 1},
        "pages": 4,
    }
    names = " ".join(lines(desk, "contact") + lines(desk, "event"))
    assert not any(one in names for one in (ANN, OLD, "Annika", "C-77"))
    waiting = desk.ledger._db.rows("SELECT source_id, record_ref FROM quarantine")
    assert {key for key, _ in waiting} == {"9"}, "a page written anew keeps its lines"
    path, _, number = waiting[0][1].rpartition(":")
    held = gzip.decompress((landing(desk.settings) / path).read_bytes()).decode().splitlines()
    assert json.loads(held[int(number) - 1])["id"] == "9"
    stands = digests(desk.warehouse.connection, desk.warehouse.tables)
    again = rebuild.rebuild(desk.hub)
    assert (again.different, again.tables) == ((), stands), "landing says what the warehouse says"


def test_the_next_pull_drops_and_counts_them(desk):
    """A complete pull that leaves somebody out on purpose is complete, and nobody is absent."""
    first(desk)
    second(desk)
    done = forget(desk)

    seen = desk.run(
        crm={
            "contact": [
                {
                    "records": [contact("77", email=ANN.upper()), contact("2", email=BO)],
                    "last": True, "full": True, "total": 2,
                }
            ]
        }
    )  # fmt: skip

    (stream,) = seen["crm"].streams
    assert (stream.rows, stream.forgotten, stream.complete) == (1, 1, True)
    assert desk.rows("SELECT email FROM contact") == [(BO,)]
    assert ANN.upper() not in " ".join(lines(desk, "contact"))
    twice(desk, done)


def test_who_is_known_from_deeds_alone_can_be_forgotten(desk):
    """A visitor who never became a contact has the same right."""
    first(desk)

    done = forget(desk, "nobody@y.example")

    assert done.certificate["removed"]["landing"]["dropped"] == {"shop/event": 1}
    assert "nobody@y.example" not in " ".join(lines(desk, "event"))
    with pytest.raises(ConfigError, match="No contacts are meant"):
        forget(desk, "stranger@y.example")


def twice(desk, done):
    """Whoever asks again, under any address, gets the certificate and nothing is done."""
    own = desk.ledger.forgotten.all()[0].owns[0]
    for who in (ANN, OLD.upper(), "shop:s1", str(own), done.person[:12]):
        assert forget(desk, who).certificate == done.certificate
    assert len(desk.ledger.forgotten.all()) == 1
    assert desk.ledger.audit.verify() == []
