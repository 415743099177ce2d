"""The presets: kinds of files that need no mapping of one's own. Data, no behaviour."""

from __future__ import annotations

from collections.abc import Mapping

from connectors.files.layout import Layout, Mapped

BOMBORA = Layout(
    # Delivered without a header line; the order of columns is that of the vendor's sample
    # (bomboradata/bombora-tutorials).
    format="csv",
    header=(
        "company_name",
        "domain",
        "size",
        "industry",
        "category",
        "topic",
        "composite_score",
        "metro",
        "country",
    ),
    maps=(
        Mapped(
            "intent_signal",
            {
                "account_domain": "domain",
                "topic": "topic",
                "category": "category",
                "score": "composite_score",
            },
            required=("account_domain",),
            convert={"account_domain": "host"},
            dated=True,
        ),
        Mapped(
            "account",
            {
                "domain": "domain",
                "name": "company_name",
                "industry": "industry",
                "employee_count": "size",
                "country": "country",
            },
            convert={"domain": "host", "employee_count": "at_least"},
            key=("domain",),
        ),
    ),
    paths=(
        "${AUDIENCEHUB_REALDATA}/surge_sample.csv",
        "${AUDIENCEHUB_REALDATA}/bombora/surge_sample.csv",
    ),
    missing="Set AUDIENCEHUB_REALDATA to the folder that holds surge_sample.csv or "
    "bombora/surge_sample.csv; or give the entry a path",
)
CDNOW = Layout(
    # Customer number, day, units, dollars (Fader and Hardie's CDNOW master file).
    format="words",
    header=("customer_id", "date", "units", "dollars"),
    skip=1,
    maps=(
        Mapped(
            "order",
            {
                "contact_external_id": "customer_id",
                "at": "date",
                "quantity": "units",
                "total": "dollars",
            },
            constants={"currency": "USD"},
            convert={"at": "noon_utc"},
            required=("contact_external_id", "at"),
        ),
    ),
    package=("Lifetimes", "0.11.3", "lifetimes/datasets/CDNOW_master.txt"),
    missing="Run: pip install --no-deps Lifetimes==0.11.3",
)
EVENTS = Layout(
    format="jsonl",
    maps=(
        Mapped(
            "event",
            {
                "contact_email": "email",
                "name": "name",
                "at": "at",
                "path": "path",
                "feature": "feature",
                "campaign": "campaign",
                "value": "value",
            },
            key=("key",),
            required=("name", "at"),
        ),
    ),
)
ORDERS = Layout(
    format="csv",
    maps=(
        Mapped(
            "order",
            {
                "contact_email": "email",
                "at": "at",
                "total": "total",
                "currency": "currency",
                "quantity": "quantity",
                "status": "status",
            },
            key=("key",),
            required=("at",),
        ),
    ),
)
CONSENT = Layout(
    format="csv",
    maps=(
        Mapped(
            "consent",
            {
                "contact_email": "email",
                "purpose": "purpose",
                "channel": "channel",
                "status": "status",
                "at": "at",
            },
            # Every statement stays: which one counts is decided where consent is.
            required=("contact_email", "purpose", "channel", "status", "at"),
            observed="at",
            origin="proof",
        ),
    ),
)

PRESETS: Mapping[str, Layout] = {
    "bombora": BOMBORA,
    "cdnow": CDNOW,
    "consent_csv": CONSENT,
    "events_jsonl": EVENTS,
    "orders_csv": ORDERS,
}
