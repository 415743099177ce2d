"""What the other side cannot make us read, wait for, or trust."""

from __future__ import annotations

import contextlib
import gzip
import ssl
import time
import zlib
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from audiencehub.errors import ConfigError, Incomplete, OutcomeUnknown, Stop
from audiencehub.http import HttpClient, HttpRefused, Policy, pages, session_for

from .conftest import http

MIB = 1024 * 1024
GZIP = "Content-Encoding: gzip"


def client(server, clock, **policy):
    return HttpClient(server.url, policy=Policy(attempts=2, seed=1, **policy), clock=clock)


def test_gzip_is_read(serve, clock):
    """Most vendors compress."""
    body = b'{"a": "%s"}' % (b"x" * 300_000)

    reply = client(serve(http(200, gzip.compress(body), GZIP)), clock).get("/")

    assert len(reply.json()["a"]) == 300_000


def test_a_gzip_bomb_is_refused_before_it_unfolds(serve, clock):
    """64 KiB that become gigabytes end the process."""
    stream = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = stream.compress(bytes(60 * MIB)) + stream.flush()
    server = serve(http(200, bomb, GZIP))

    with pytest.raises(Incomplete, match="measure"):
        client(server, clock).get("/")

    assert len(server.requests) == 1


def test_cut_gzip_is_incomplete(serve, clock):
    """Its first half may well be whole records."""
    with pytest.raises(Incomplete, match="cut"):
        client(serve(http(200, gzip.compress(b"[1, 2, 3]" * 999)[:-9], GZIP)), clock).get("/")


def test_a_body_beyond_the_bound_is_refused(serve, clock):
    """Content-Length can be 64 MiB or a lie."""
    endless = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n"

    def pour(connection):
        with contextlib.suppress(OSError):
            connection.sendall(endless)
            for _ in range(80):
                connection.sendall(bytes(MIB // 16))

    with pytest.raises(Incomplete, match="longer"):
        client(serve(pour), clock, max_body=2 * MIB).get("/")


@pytest.mark.parametrize("stage", ["head", "body"])
def test_a_dripping_answer_ends_at_its_deadline(serve, clock, stage):
    """Every byte arrives in time, the last one never: a per-read timeout does not notice."""
    start = (
        b"HTTP/1.1 200 OK\r\nX-Slow: "
        if stage == "head"
        else (b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n")
    )

    def drip(connection):
        with contextlib.suppress(OSError):
            connection.sendall(start)
            connection.settimeout(0.02)
            while True:
                connection.sendall(b"x")
                with contextlib.suppress(TimeoutError):
                    if not connection.recv(1):
                        return

    began = time.monotonic()
    with pytest.raises(OutcomeUnknown):
        client(serve(drip), clock, reply=0.4, read=5).post("/", json={}, writes=True)

    assert time.monotonic() - began < 4


@pytest.mark.parametrize(
    "headers", [["X-Long: " + "x" * 70_000], [f"X-{n}: {'y' * 1500}" for n in range(60)]]
)
def test_headers_beyond_64_kib_are_refused(serve, clock, headers):
    """Memory is spent before any body limit counts."""
    with pytest.raises(Exception) as caught:
        client(serve(http(200, b"{}", *headers)), clock).get("/")

    assert type(caught.value).__name__ in ("Incomplete", "Wait")


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"<html>login</html>", "text/html"),
        (b'{"a": ', "application/json"),
        (b"[" * 100_000, "application/json"),
        (b'{"a": NaN}', "application/json"),
        (b'{"a": "\xff"}', "application/json"),
        (b"", "application/json"),
    ],
)
def test_an_answer_that_is_not_json_is_never_empty_data(serve, clock, body, kind):
    """A login page read as an empty list would look like a company without contacts."""
    asking = client(serve(http(200, body, kind=kind)), clock)

    with pytest.raises(Incomplete):
        asking.get("/").json()
    with pytest.raises(OutcomeUnknown):
        asking.post("/", json={}, writes=True).json()


def test_a_link_to_another_host_is_not_followed(serve, clock):
    """The token would go with it."""
    thief, server = serve(http(200)), serve(http(200))
    asking = client(server, clock)

    for link in (thief.url + "/next", "//evil.example/x", "https://127.0.0.1/x"):
        with pytest.raises(Incomplete):
            asking.get(link)

    assert thief.requests == server.requests == []
    assert asking.get(f"{server.url}/next?after=2").status == 200


def test_redirects_stay_on_the_host_and_end(serve, clock):
    """A redirect is a next link that the reader did not ask for."""
    thief = serve(http(200))
    away = serve(http(302, b"", f"Location: {thief.url}/steal"))
    with pytest.raises(Incomplete):
        client(away, clock).get("/")
    assert thief.requests == []

    assert client(serve(http(302, b"", "Location: /b"), http(200)), clock).get("/a").status == 200
    with pytest.raises(Incomplete, match="redirects"):
        client(serve(http(302, b"", "Location: /again")), clock).get("/a")
    with pytest.raises(HttpRefused):
        client(serve(http(307, b"", "Location: /b")), clock).post("/a", json={}, writes=True)


def test_paging_in_a_circle_is_noticed(serve, clock):
    """A cursor that repeats would pull for ever."""
    server = serve(
        http(200, b'{"next": "b"}'), http(200, b'{"next": "c"}'), http(200, b'{"next": "b"}')
    )
    asking = client(server, clock)

    with pytest.raises(Incomplete, match="circle"):
        for _ in pages(
            asking, "/list", params={"limit": 2}, next=lambda reply: {"after": reply.json()["next"]}
        ):
            pass

    assert server.heads()[-1] == "GET /list?limit=2&after=c HTTP/1.1"


def test_paging_ends_where_no_next_is_named(serve, clock):
    """The last page is a page too."""
    server = serve(http(200, b'{"next": "/list?p=2"}'), http(200, b"{}"))

    replies = list(pages(client(server, clock), "/list", next=lambda r: r.json().get("next")))

    assert len(replies) == 2


@pytest.mark.parametrize(
    "url",
    [
        "http://api.vendor.example",
        "ftp://127.0.0.1",
        "https://user:pass@api.vendor.example",
        "http://10.0.0.8",
        "api",
    ],
)
def test_only_https_or_this_machine(url):
    """A token on plain http is everybody's."""
    with pytest.raises(ConfigError):
        HttpClient(url)
    with pytest.raises(ConfigError):
        session_for(url)


def certificate(folder, host="localhost", days=1):
    """A self-signed certificate and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    # Not product logic: a certificate's validity is judged by the machine's clock.
    start = datetime.now(UTC) - timedelta(days=3)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=2 + days))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / f"{host}{days}.pem"
    path.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return path


def tls(path):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return lambda connection: context.wrap_socket(connection, server_side=True)


@pytest.mark.parametrize(
    ("host", "days", "trusted", "works"),
    [
        ("localhost", 2, True, True),
        ("localhost", 2, False, False),
        ("localhost", -1, True, False),
        ("vendor.example", 2, True, False),
    ],
    ids=["good", "self-signed", "expired", "wrong-host"],
)
def test_certificates_are_verified(serve, clock, tmp_path, monkeypatch, host, days, trusted, works):
    """Whoever answers in the vendor's place gets the token. The first case is the control."""
    path = certificate(tmp_path, host, days)
    if trusted:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(path))
    server = serve(http(200), wrap=tls(path))
    asking = HttpClient(f"https://localhost:{server.port}", policy=Policy(attempts=2), clock=clock)

    if works:
        assert asking.get("/").status == 200
    else:
        with pytest.raises(Stop, match="certificate"):
            asking.post("/", json={}, writes=True)
        assert server.requests == []
