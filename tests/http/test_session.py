"""The policy in the shape of a requests.Session, as simple-salesforce uses it."""

from __future__ import annotations

import pytest
import requests
from simple_salesforce import Salesforce
from simple_salesforce.exceptions import SalesforceMalformedRequest

from audiencehub.errors import ConfigError, OutcomeUnknown, Wait
from audiencehub.http import HttpClient, Policy, session_for

from .conftest import http, reset

TOKEN = b'{"access_token": "00Dxx-session", "instance_url": "https://acme.my.salesforce.com"}'
QUICK = Policy(attempts=2, seed=1, read=0.5)


def salesforce(server, clock):
    session = session_for(server.url, policy=QUICK, clock=clock)
    return Salesforce(
        consumer_key="k", consumer_secret="s", domain="acme.my", session=session, version="64.0"
    )


def test_simple_salesforce_runs_on_it_unmodified(serve, clock):
    """It builds https addresses of Salesforce's hosts, whatever it is told."""
    server = serve(http(200, TOKEN), http(200, b'{"done": true, "totalSize": 0, "records": []}'))

    assert salesforce(server, clock).query("SELECT Id FROM Contact")["done"] is True
    assert server.heads() == [
        "POST /services/oauth2/token HTTP/1.1",
        "GET /services/data/v64.0/query/?q=SELECT+Id+FROM+Contact HTTP/1.1",
    ]


def test_the_librarys_own_errors_pass_through(serve, clock):
    """It parses error bodies itself."""
    server = serve(
        http(200, TOKEN), http(400, b'[{"errorCode": "MALFORMED_QUERY", "message": "x"}]')
    )

    with pytest.raises(SalesforceMalformedRequest):
        salesforce(server, clock).query("SELECT")


def test_limits_and_outages_are_handled_beneath_the_library(serve, clock):
    """A library without retry gets it."""
    server = serve(
        http(200, TOKEN), http(429, b"[]", "Retry-After: 3"), http(200, b'{"records": []}')
    )

    salesforce(server, clock).query("SELECT Id FROM Contact")

    assert clock.slept == [3.0]


def test_a_write_through_the_library_is_sent_once(serve, clock):
    """An update whose answer was lost is unknown, also when a library sent it."""
    server = serve(http(200, TOKEN), reset)

    with pytest.raises(OutcomeUnknown):
        salesforce(server, clock).Contact.update("003000000000001AAA", {"Title": "x"})

    assert len(server.requests) == 2


def test_what_counts_as_a_write_can_be_told(serve, clock):
    """A query by POST may be repeated."""
    server = serve(reset, http(200, b"{}"))
    session = session_for(
        server.url,
        policy=QUICK,
        clock=clock,
        writes=lambda method, url: not url.endswith("/search"),
    )

    assert session.post("https://api.vendor.example/search", json={}).status_code == 200
    assert len(server.requests) == 2


def test_client_and_session_share_one_circuit_and_host(serve, clock):
    """Two faces of one credential."""
    server = serve(http(500))
    client = HttpClient(server.url, policy=QUICK, clock=clock)
    for _ in range(3):
        with pytest.raises(Wait):
            client.session.get("https://api.vendor.example/a")
    sent = len(server.requests)

    with pytest.raises(Wait):
        client.get("/b")
    assert len(server.requests) == sent


def test_without_a_sandbox_plain_http_is_refused():
    """A library must not be talked into leaving TLS."""
    with pytest.raises(ConfigError):
        session_for(None).get("http://api.vendor.example/")


def test_verification_cannot_be_switched_off(serve, clock):
    """`verify=False` in a library or an environment is one keystroke away."""
    session = session_for(serve(http(200)).url, clock=clock)

    with pytest.raises(ConfigError):
        session.get("https://api.vendor.example/", verify=False)


def test_netrc_and_cookies_have_no_say(serve, clock, tmp_path, monkeypatch):
    """A file in the home folder would replace the credential that settings name."""
    netrc = tmp_path / "netrc"
    netrc.write_text("default login other password other-password\n")
    monkeypatch.setenv("NETRC", str(netrc))
    server = serve(http(200, b"{}", "Set-Cookie: session=1"))
    session = session_for(server.url, clock=clock)
    for _ in range(2):
        session.get("https://api.vendor.example/", headers={"Authorization": "Bearer mine"})

    assert all(b"Bearer mine" in one and b"ookie" not in one for one in server.requests)


def test_a_session_leaves_its_host_for_no_redirect(serve, clock):
    """requests would follow with our custom headers."""
    thief = serve(http(200))
    server = serve(http(302, b"", f"Location: {thief.url}/x"))

    reply = session_for(server.url, clock=clock).get("https://api.vendor.example/")

    assert reply.status_code == 302
    assert thief.requests == []
    assert isinstance(session_for(None), requests.Session)
