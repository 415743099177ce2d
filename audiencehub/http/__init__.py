"""The one HTTP client: auth, paging, one limiter per credential, retry, redaction, limits."""

from audiencehub.http.auth import (
    Auth,
    Basic,
    Bearer,
    Header,
    OAuth,
    OAuthClientCredentials,
)
from audiencehub.http.client import HttpClient, pages, session_for
from audiencehub.http.clock import Clock, MachineClock
from audiencehub.http.hooks import hidden, origin_of, signature, slack_text
from audiencehub.http.limiter import Limiter, limiter_for
from audiencehub.http.meter import Meter, metered
from audiencehub.http.redaction import RedactingFilter, hide, redact, redact_every_record
from audiencehub.http.reply import HttpRefused, Reply
from audiencehub.http.retry import Policy, retry_after
from audiencehub.http.session import is_write

__all__ = [
    "Auth",
    "Basic",
    "Bearer",
    "Clock",
    "Header",
    "HttpClient",
    "HttpRefused",
    "Limiter",
    "MachineClock",
    "Meter",
    "OAuth",
    "OAuthClientCredentials",
    "Policy",
    "RedactingFilter",
    "Reply",
    "hidden",
    "hide",
    "is_write",
    "limiter_for",
    "metered",
    "origin_of",
    "pages",
    "redact",
    "redact_every_record",
    "retry_after",
    "session_for",
    "signature",
    "slack_text",
]
