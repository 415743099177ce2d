"""Waits, tries, and the difference between a request that was sent and one that was not."""

from __future__ import annotations

import socket
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audiencehub.errors import Incomplete, OutcomeUnknown, Wait
from audiencehub.http import HttpClient, HttpRefused, Limiter, Policy, retry_after

from .conftest import hang, http, reset

NOW = datetime(2026, 11, 16, 9, tzinfo=UTC)
QUICK = Policy(read=0.3, attempts=3, seed=7)


def client(server, clock, policy=QUICK, **kw):
    return HttpClient(server.url, policy=policy, clock=clock, **kw)


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("writes", [False, True])
@pytest.mark.fault(3)
def test_retry_after_seconds_is_obeyed(serve, clock, status, writes):
    """A client that comes back early is locked out by the vendor; one that gives up loses a run."""
    server = serve(http(status, b"{}", "Retry-After: 7"), http(200, b'{"ok": 1}'))

    reply = client(server, clock).post("/x", json={}, writes=writes)

    assert reply.json() == {"ok": 1}
    assert clock.slept == [7.0]


@pytest.mark.fault(3)
def test_retry_after_date_counts_from_the_servers_own_date(serve, clock):
    """A machine whose clock is an hour off would wait an hour too long, or not at all."""
    theirs = NOW + timedelta(hours=5)
    server = serve(
        http(
            429,
            b"{}",
            f"Retry-After: {format_datetime(theirs + timedelta(seconds=30), usegmt=True)}",
            f"Date: {format_datetime(theirs, usegmt=True)}",
        ),
        http(200),
    )

    client(server, clock).get("/x")

    assert clock.slept == [30.0]


@pytest.mark.parametrize("garbage", ["soon", "-5", "inf", "nan", "1e9", "0x10", "", "٣", "Mon, 99"])
@pytest.mark.fault(3)
def test_unusable_retry_after_falls_back_to_jitter(serve, clock, garbage):
    """Garbage in a header must not crash the run, nor make it wait for ever or not at all."""
    server = serve(
        http(429, b"{}", f"Retry-After: {garbage}".encode().decode("latin-1")), http(200)
    )

    client(server, clock).get("/x")

    assert len(clock.slept) == 1
    assert 0 < clock.slept[0] <= QUICK.backoff


@pytest.mark.fault(3)
def test_a_wait_beyond_fifteen_minutes_is_handed_back_at_once(serve, clock):
    """A run that sleeps for hours holds its lease and looks dead."""
    server = serve(http(429, b"{}", "Retry-After: 901"))

    with pytest.raises(Wait) as caught:
        client(server, clock).get("/x")

    assert caught.value.seconds == 901
    assert clock.slept == []
    assert len(server.requests) == 1


def test_a_wait_that_passes_the_deadline_is_handed_back(serve, clock):
    """A deadline that waiting may pass is none."""
    server = serve(http(429, b"{}", "Retry-After: 60"))

    with pytest.raises(Wait):
        client(server, clock).get("/x", deadline=59)

    assert clock.slept == []


@pytest.mark.fault(3)
def test_a_storm_ends_in_wait_after_the_last_try(serve, clock):
    """Endless tries against a server that is down keep it down."""
    server = serve(http(500))

    with pytest.raises(Wait):
        client(server, clock).get("/x")

    assert len(server.requests) == QUICK.attempts


@pytest.mark.fault(3)
def test_jitter_stays_under_a_ceiling_that_doubles(serve, clock):
    """Without growth a retry is a hammer; without jitter it is a herd."""
    policy = Policy(attempts=9, backoff=1, longest_backoff=16, seed=3)
    server = serve(http(502))

    with pytest.raises(Wait):
        client(server, clock, policy).get("/x")

    ceilings = [1, 2, 4, 8, 16, 16, 16, 16]
    assert all(0 <= wait <= top for wait, top in zip(clock.slept, ceilings, strict=True))
    assert len({round(wait, 6) for wait in clock.slept}) == 8


@pytest.mark.parametrize("status", [408, 500, 502, 503, 504, 520])
@pytest.mark.fault(2)
def test_an_outage_after_a_write_is_unknown_and_never_repeated(serve, clock, status):
    """The server may have applied it: neither success nor failure may be recorded."""
    server = serve(http(status))

    with pytest.raises(OutcomeUnknown):
        client(server, clock).patch("/x", json={"a": 1}, writes=True)

    assert len(server.applied) == 1


@pytest.mark.parametrize("fate", [reset, hang], ids=["apply-then-reset", "apply-then-hang"])
@pytest.mark.fault(2)
def test_a_write_without_an_answer_is_unknown_and_sent_once(serve, clock, fate):
    """Sending it again inside would apply it twice behind the ledger's back."""
    server = serve(fate)

    with pytest.raises(OutcomeUnknown):
        client(server, clock).post("/x", json={"a": 1}, writes=True)

    assert server.applied == [b'{"a": 1}']
    assert clock.slept == []


@pytest.mark.parametrize("fate", [reset, hang])
def test_a_read_without_an_answer_is_asked_again(serve, clock, fate):
    """One dropped connection must not end a pull of a thousand pages."""
    server = serve(fate, http(200, b'{"page": 1}'))

    assert client(server, clock).get("/x").json() == {"page": 1}
    assert len(server.requests) == 2


@pytest.mark.parametrize("writes", [True, False])
def test_a_refused_connection_was_never_sent(clock, writes):
    """Calling it unknown would make every outage a read-back of the whole audience."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    asking = HttpClient(f"http://127.0.0.1:{port}", policy=QUICK, clock=clock)

    with pytest.raises(Wait):
        asking.post("/x", json={}, writes=writes)

    assert len(clock.slept) == QUICK.attempts - 1


def test_a_truncated_read_is_incomplete_after_retries(serve, clock):
    """Half a page that passes for a page makes the other half look deleted."""
    whole = http(200, b'{"results": [1, 2, 3]}')

    def cut(connection):
        connection.sendall(whole[:-9])
        connection.shutdown(socket.SHUT_RDWR)

    server = serve(cut)

    with pytest.raises(Incomplete):
        client(server, clock).get("/x")

    assert len(server.requests) == QUICK.attempts


def test_a_truncated_answer_to_a_write_is_unknown(serve, clock):
    """The request arrived; what it did is not known."""
    whole = http(200, b'{"results": [1, 2, 3]}')

    def cut(connection):
        connection.sendall(whole[:-9])
        connection.shutdown(socket.SHUT_RDWR)

    with pytest.raises(OutcomeUnknown):
        client(serve(cut), clock).post("/x", json={}, writes=True)


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Le",
        b"HTTP/1.1 200 OK\r\n",
        b"HTT",
    ],
)
def test_headers_that_end_with_the_connection_are_no_answer(serve, clock, head):
    """Python's parser takes them for complete: 200 with an empty body."""

    def cut(connection):
        connection.sendall(head)
        connection.shutdown(socket.SHUT_RDWR)

    with pytest.raises((Incomplete, Wait)):
        client(serve(cut), clock).get("/x")
    with pytest.raises(OutcomeUnknown):
        client(serve(cut), clock).post("/x", json={}, writes=True)


def test_accepted_statuses_come_back_and_others_carry_their_code(serve, clock):
    """A connector that reads 400s itself must get them; one that does not must hear the code."""
    body = b'{"category": "VALIDATION_ERROR", "message": "jane@buyer.example is bad"}'
    server = serve(http(400, body))

    assert client(server, clock).get("/x", accept={200, 400}).status == 400
    with pytest.raises(HttpRefused) as caught:
        client(server, clock).get("/x")

    assert (caught.value.status, caught.value.code) == (400, "VALIDATION_ERROR")
    assert "jane" not in str(caught.value)


def test_an_accepted_outage_status_is_not_retried(serve, clock):
    """A caller that names 500 wants to see it."""
    server = serve(http(500))

    assert client(server, clock).get("/x", accept={500}).status == 500
    assert len(server.requests) == 1


def test_the_vendors_own_way_of_saying_slow_down(serve, clock):
    """A limit told in a body (BuiltWith) or as a 403 (Meta) is not a missing permission."""

    def throttled(reply):
        return reply.json().get("retryAfterSeconds") if reply.status in (403, 429) else None

    server = serve(
        http(403, b'{"retryAfterSeconds": 4}'), http(429, b'{"retryAfterSeconds": 2}'), http(200)
    )
    policy = Policy(throttle=throttled, seed=1)

    client(server, clock, policy).post("/x", json={}, writes=True)

    assert clock.slept == [4, 2]


@pytest.mark.fault(3)
def test_one_requests_retry_after_holds_all_of_the_credential(serve, clock):
    """Two threads on one token must not answer a 429 with twice the traffic."""
    limiter = Limiter(clock=clock)
    server = serve(http(429, b"{}", "Retry-After: 500"))
    with pytest.raises(Wait):
        client(server, clock, Policy(attempts=1), limiter=limiter).get("/x")

    server.script = [http(200)]
    client(server, clock, limiter=limiter).get("/y")

    assert clock.slept == [500.0]


@pytest.mark.fault(3)
def test_the_circuit_opens_after_three_calls_that_failed_throughout(serve, clock):
    """Six tries for each of a thousand pages against a dead server last for hours."""
    limiter = Limiter(clock=clock)
    server = serve(http(500))
    asking = client(server, clock, limiter=limiter)
    for _ in range(3):
        with pytest.raises(Wait):
            asking.get("/x")
    before = len(server.requests)

    with pytest.raises(Wait):
        asking.get("/x")

    assert len(server.requests) == before
    clock.seconds += 61
    server.script = [http(200)]
    assert asking.get("/x").status == 200


@given(seconds=st.integers(0, 10**8))
def test_retry_after_reads_every_number_and_its_date(seconds):
    """Both spellings of one wait mean the same."""
    date = format_datetime(NOW + timedelta(seconds=seconds), usegmt=True)

    assert retry_after(str(seconds), None, NOW) == seconds
    assert retry_after(date, None, NOW) == seconds


@given(text=st.text(max_size=40), date=st.text(max_size=40))
def test_retry_after_never_crashes_and_is_never_negative(text, date):
    """Headers are written by others."""
    found = retry_after(text, date, NOW)

    assert found is None or found >= 0
