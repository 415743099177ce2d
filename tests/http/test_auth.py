"""Credentials: renewed once, refused clearly, never shown."""

from __future__ import annotations

import base64
import threading

import pytest

from audiencehub.errors import Stop
from audiencehub.http import (
    Basic,
    Bearer,
    Header,
    HttpClient,
    OAuthClientCredentials,
    Policy,
    redact,
)

from .conftest import http


def sent(server, name):
    """The values of one header over all requests."""
    lines = [line.partition(b": ") for one in server.requests for line in one.split(b"\r\n")]
    return [value.decode() for key, _, value in lines if key.decode().lower() == name]


def test_each_scheme_sends_its_header(serve, clock):
    """A wrong header is a 401 that no user can explain."""
    server = serve(http(200))
    for auth in (
        Bearer(lambda: "token-1"),
        Header("X-Key", lambda: "key-123"),
        Basic(lambda: "user", lambda: "pässword"),
    ):
        HttpClient(server.url, auth=auth, clock=clock).get("/")

    basic = base64.b64encode("user:pässword".encode()).decode()
    assert sent(server, "authorization") == ["Bearer token-1", f"Basic {basic}"]
    assert sent(server, "x-key") == ["key-123"]


def test_a_401_reads_the_credential_once_more(serve, clock):
    """A rotated secret file is picked up without a restart."""
    tokens = iter(["old-token", "new-token"])
    server = serve(http(401), http(200))

    HttpClient(server.url, auth=Bearer(lambda: next(tokens)), clock=clock).get("/")

    assert sent(server, "authorization") == ["Bearer old-token", "Bearer new-token"]


@pytest.mark.fault(8)
def test_a_second_401_stops_with_one_instruction(serve, clock):
    """Asking on locks accounts."""
    tokens = iter(["one-token", "two-token", "three-token"])
    server = serve(http(401, b'{"category": "INVALID_AUTHENTICATION"}'))

    with pytest.raises(Stop) as caught:
        HttpClient(server.url, auth=Bearer(lambda: next(tokens)), clock=clock).get("/")

    assert len(server.requests) == 2
    assert "token" not in caught.value.message
    assert caught.value.hint


def test_an_unchanged_credential_is_not_tried_twice(serve, clock):
    """The same password fails the same way."""
    server = serve(http(401))

    with pytest.raises(Stop):
        HttpClient(server.url, auth=Bearer(lambda: "same-token"), clock=clock).get("/")

    assert len(server.requests) == 1


def test_a_403_stops(serve, clock):
    """A missing scope is no reason to try again."""
    server = serve(http(403))

    with pytest.raises(Stop, match="permission"):
        HttpClient(server.url, clock=clock).get("/")

    assert len(server.requests) == 1


def test_a_credential_with_a_line_break_never_reaches_the_wire(serve, clock):
    """It would be a second header."""
    server = serve(http(200))

    with pytest.raises(Stop):
        HttpClient(server.url, auth=Bearer(lambda: "tok\r\nX-Evil: 1"), clock=clock).get("/")

    assert server.requests == []


def oauth(issuer, clock):
    at = HttpClient(issuer.url, policy=Policy(attempts=1), clock=clock)
    return OAuthClientCredentials(
        at, "/token", lambda: "client-id", lambda: "client-secret", clock=clock
    )


def test_one_token_serves_many_threads(serve, clock):
    """Ten workers that each fetch a token use up the vendor's allowance and void each other's."""
    issuer = serve(http(200, b'{"access_token": "tok-abcdef", "expires_in": 1800}'))
    server = serve(http(200))
    client = HttpClient(server.url, auth=oauth(issuer, clock), clock=clock)
    threads = [threading.Thread(target=client.get, args=["/"]) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(issuer.requests) == 1
    assert issuer.applied == [b"grant_type=client_credentials"]
    assert sent(server, "authorization") == ["Bearer tok-abcdef"] * 10


@pytest.mark.fault(8)
def test_ten_threads_refused_together_renew_once(serve, clock):
    """Single flight holds for a 401 as well."""
    issuer = serve(
        http(200, b'{"access_token": "tok-old-1"}'), http(200, b'{"access_token": "tok-new-2"}')
    )
    auth = oauth(issuer, clock)
    old = dict(auth.headers())
    results = []
    threads = [
        threading.Thread(target=lambda: results.append(auth.refresh(old))) for _ in range(10)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert results == [True] * 10
    assert len(issuer.requests) == 2


def test_a_token_is_renewed_before_it_runs_out(serve, clock):
    """HubSpot says that a 401 is no valid trigger for a refresh (usage guidelines)."""
    issuer = serve(
        http(200, b'{"access_token": "tok-old-1", "expires_in": "1800"}'),
        http(200, b'{"access_token": "tok-new-2", "expires_in": 1800}'),
    )
    auth = oauth(issuer, clock)
    assert auth.headers() == {"Authorization": "Bearer tok-old-1"}
    clock.seconds += 1739
    assert auth.headers() == {"Authorization": "Bearer tok-old-1"}
    clock.seconds += 2

    assert auth.headers() == {"Authorization": "Bearer tok-new-2"}


@pytest.mark.parametrize(
    "answer",
    [
        http(400, b'{"error": "invalid_client"}'),
        http(401),
        http(200, b'{"access_token": null}'),
        http(200, b"[]"),
    ],
)
@pytest.mark.fault(8)
def test_a_refused_grant_stops(serve, clock, answer):
    """A person must act; no token means no request."""
    server = serve(http(200))

    with pytest.raises(Stop, match="token endpoint"):
        HttpClient(server.url, auth=oauth(serve(answer), clock), clock=clock).get("/")

    assert server.requests == []


@pytest.mark.fault(8)
def test_credentials_are_masked_from_their_first_use_on(serve, clock):
    """A library that logs its headers must not log ours."""
    HttpClient(
        serve(http(200)).url, auth=Basic(lambda: "userx", lambda: "s3cret-pw"), clock=clock
    ).get("/")
    encoded = base64.b64encode(b"userx:s3cret-pw").decode()

    assert redact(f"pw s3cret-pw header Basic {encoded}") == "pw [secret] header [secret]"
