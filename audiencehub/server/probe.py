"""Would a web page that the operator opens be able to read this server's secrets?

A server with Prefect's defaults answers any page: `Access-Control-Allow-Origin: *`, no login, no
check of the host. So before one is used, the read that such a page would try is tried here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import requests

from audiencehub.errors import Stop

if TYPE_CHECKING:
    from audiencehub.server.local import Access

EVIL = "http://evil.example"
SECRETS = "/block_documents/filter"


def assert_closed(access: Access) -> None:
    """Raises Stop naming each way in that is open."""
    ways = open_ways(access)
    if ways:
        raise Stop(
            f"Refusing to run on the Prefect server at {access.url}: a foreign web page could "
            f"{'; could '.join(ways)}.",
            hint="Set PREFECT_SERVER_API_AUTH_STRING and PREFECT_SERVER_API_CORS_ALLOWED_ORIGINS, "
            "or let audiencehub up start the server",
        )


def open_ways(access: Access) -> list[str]:
    """What a foreign page could do to the server, in words; empty when it is closed."""
    ways = []
    session = requests.Session()
    session.trust_env = False

    def ask(method: str, path: str, **more: str) -> requests.Response:
        headers = {"Origin": EVIL, **{name.replace("_", "-"): v for name, v in more.items()}}
        body = {"include_secrets": True} if method == "POST" else None
        return session.request(
            method, access.url + path, json=body, headers=headers, timeout=(5, 30)
        )

    if ask("POST", SECRETS).ok:
        ways.append("read every stored secret without a login")
    if ask("POST", SECRETS, Host="rebound.evil.example").ok:
        ways.append("read every stored secret under a host name of its own")
    # Turning CSRF protection on does not help while its token can be read from elsewhere.
    token = ask("GET", "/csrf-token?client=probe")
    if token.ok and _readable(token):
        ways.append("fetch a CSRF token")
    preflight = ask(
        "OPTIONS",
        SECRETS,
        Access_Control_Request_Method="POST",
        Access_Control_Request_Headers="authorization,content-type",
    )
    if _readable(preflight):
        ways.append("send requests with the operator's saved login")
    return ways


def _readable(reply: requests.Response) -> bool:
    return reply.headers.get("Access-Control-Allow-Origin") in ("*", EVIL)
