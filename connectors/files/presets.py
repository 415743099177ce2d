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
                "employee_range": "size",
                "country": "country",
            },
            convert={"domain": "host"},
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
            optional={
                "revenue": "revenue",
                "discount": "discount",
                "refunded_amount": "refunded",
                "margin": "margin",
                "channel": "channel",
                "coupon": "coupon",
            },
            key=("key",),
            required=("at",),
        ),
    ),
)
ORDER_LINES = Layout(
    format="csv",
    maps=(
        Mapped(
            "order_line",
            {
                "contact_email": "email",
                "order_id": "order",
                "at": "at",
                "sku": "sku",
                "name": "name",
                "quantity": "quantity",
                "price": "price",
                "currency": "currency",
            },
            optional={"category": "category", "brand": "brand"},
            key=("key",),
            required=("order_id", "at"),
        ),
    ),
)
SUBSCRIPTIONS = Layout(
    format="csv",
    maps=(
        Mapped(
            "subscription",
            {
                "contact_email": "email",
                "account_domain": "company_domain",
                "plan": "plan",
                "status": "status",
                "mrr": "mrr",
                "currency": "currency",
                "interval": "interval",
                "quantity": "seats",
                "started_at": "started_at",
                "trial_end": "trial_end",
                "renews_at": "renews_at",
                "cancel_at": "cancel_at",
                "canceled_at": "canceled_at",
                "updated_at": "updated_at",
            },
            key=("key",),
            required=("status", "started_at"),
            observed="updated_at",
        ),
    ),
)
TICKETS = Layout(
    format="csv",
    maps=(
        Mapped(
            "ticket",
            {
                "contact_email": "email",
                "subject": "subject",
                "category": "category",
                "status": "status",
                "priority": "priority",
                "channel": "channel",
                "created_at": "created_at",
                "solved_at": "solved_at",
                "first_reply_minutes": "first_reply_minutes",
                "csat": "csat",
                "updated_at": "updated_at",
            },
            key=("key",),
            required=("created_at",),
            observed="updated_at",
        ),
    ),
)
SURVEYS = Layout(
    format="csv",
    maps=(
        Mapped(
            "survey_answer",
            {
                "contact_email": "email",
                "survey": "survey",
                "response_id": "response",
                "question": "question",
                "question_type": "type",
                "kind": "kind",
                "score": "score",
                "score_max": "score_max",
                "choice": "choice",
                "text": "text",
                "at": "at",
            },
            # Who answers again under the same response corrects the answer.
            key=("response", "question"),
            required=("kind", "at"),
        ),
    ),
)
EMAILS = Layout(
    format="jsonl",
    maps=(
        Mapped(
            "email_engagement",
            {
                "contact_email": "email",
                "campaign": "campaign",
                "action": "action",
                "at": "at",
                "link": "link",
                "topic": "topic",
            },
            key=("key",),
            required=("action", "at"),
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
    "emails_jsonl": EMAILS,
    "events_jsonl": EVENTS,
    "order_lines_csv": ORDER_LINES,
    "orders_csv": ORDERS,
    "subscriptions_csv": SUBSCRIPTIONS,
    "surveys_csv": SURVEYS,
    "tickets_csv": TICKETS,
}
