"""The facts: rows about a person or a company, dated. Data."""

from __future__ import annotations

from audiencehub.canonical.words import Field, Table

_CURRENCY = Field("currency", "text", "ISO 4217", "none", "currency")
_UPDATED = Field("updated_at", "instant", "Last change at the source")

_SALES = (
    Table(
        "deal",
        "An opportunity of an account.",
        (
            Field("name", "text", "Name", "none", "text"),
            Field("amount", "money", "Amount in `currency`"),
            _CURRENCY,
            Field("pipeline", "text", "Pipeline as the CRM names it", "none", "slug"),
            Field("stage", "text", "Stage as the CRM names it", "none", "slug"),
            Field("probability", "number", "That it is won, 0 to 100", unit="percent"),
            Field("type", "text", "new_business, existing_business, renewal, …", "none", "slug"),
            Field("is_closed", "boolean", "Won or lost"),
            Field("is_won", "boolean", "Won"),
            Field("close_date", "date", "Closed, or expected to close"),
            Field("created_at", "instant", "Created"),
        ),
    ),
    Table(
        "order",
        "A purchase of a contact.",
        (
            Field("at", "instant", "When it was placed"),
            Field("total", "money", "Total in `currency`"),
            Field("revenue", "money", "Total without tax and shipping, after discount"),
            Field("discount", "money", "Taken off the list price"),
            Field("refunded_amount", "money", "Paid back later"),
            Field("margin", "money", "Revenue less what the goods cost"),
            _CURRENCY,
            Field("quantity", "integer", "Units", "none", "count"),
            Field("status", "text", "Status", "none", "slug"),
            Field("channel", "text", "Where it was placed", "none", "slug"),
            Field("coupon", "text", "Code that was redeemed", "none", "text"),
        ),
    ),
    Table(
        "order_line",
        "One product of a purchase.",
        (
            Field("order_id", "text", "Id of the order, as the shop writes it", "none", "text"),
            Field("at", "instant", "When the order was placed"),
            Field("sku", "text", "Stock keeping unit", "none", "text"),
            Field("name", "text", "Product", "none", "text"),
            Field("category", "text", "Category of the product", "none", "slug"),
            Field("brand", "text", "Brand of the product", "none", "slug"),
            Field("quantity", "integer", "Units", "none", "count"),
            Field("price", "money", "Of one unit, in `currency`"),
            _CURRENCY,
        ),
    ),
    Table(
        "subscription",
        "A running contract of an account, as it stands now.",
        (
            Field("plan", "text", "Plan", "none", "slug"),
            Field("status", "text", "trialing, active, past_due, canceled", "none", "slug"),
            Field("mrr", "money", "Recurring revenue a month, in `currency`"),
            _CURRENCY,
            Field("interval", "text", "month, year", "none", "slug"),
            Field("quantity", "integer", "Seats", "none", "count"),
            Field("started_at", "instant", "Began"),
            Field("trial_end", "instant", "End of the trial"),
            Field("renews_at", "instant", "Next renewal"),
            Field("cancel_at", "instant", "Announced end"),
            Field("canceled_at", "instant", "When it was cancelled"),
            _UPDATED,
        ),
    ),
)
_BEHAVIOUR = (
    Table(
        "event",
        "Something a contact did, on the web, in the product, by e-mail, or with sales.",
        (
            Field("name", "text", "page_view, login, email_click, meeting, …", "none", "slug"),
            Field("at", "instant", "When"),
            Field("path", "text", "Path of the page, for page views"),
            Field("campaign", "text", "Campaign, for marketing events", "none", "text"),
            Field("channel", "text", "web, product, email, sales, …", "none", "slug"),
            Field("status", "text", "Outcome or response", "none", "slug"),
            Field("feature", "text", "Product feature, for usage events", "none", "slug"),
            Field("value", "number", "A number that the event carries"),
            Field("properties", "json", "All else the source sent"),
        ),
    ),
    Table(
        "ticket",
        "A question or complaint to the help desk.",
        (
            Field("subject", "text", "Subject as written", "personal", "text"),
            Field("category", "text", "What it is about", "none", "slug"),
            Field("status", "text", "new, open, pending, solved, closed", "none", "slug"),
            Field("priority", "text", "low, normal, high, urgent", "none", "slug"),
            Field("channel", "text", "email, chat, phone, web", "none", "slug"),
            Field("created_at", "instant", "Opened"),
            Field("solved_at", "instant", "Solved"),
            Field(
                "first_reply_minutes",
                "integer",
                "Until the first answer",
                "none",
                "count",
                "minutes",
            ),
            Field("csat", "number", "How satisfied the person was with it, 1 to 5"),
            _UPDATED,
        ),
    ),
    Table(
        "survey_answer",
        "One answer of a person in a survey.",
        (
            Field("survey", "text", "Which survey", "none", "slug"),
            Field("response_id", "text", "Answers given together have the same", "none", "text"),
            Field("question", "text", "Reference of the question", "none", "slug"),
            Field("question_type", "text", "rating, choice, multiple_choice, text", "none", "slug"),
            Field(
                "kind",
                "text",
                "nps, csat, ces, interest, value, attitude, lifestyle, job_to_be_done, "
                "pain_point, desired_outcome, use_case, other",
                "none",
                "slug",
            ),
            Field("score", "number", "The rating; of nps 0 to 10"),
            Field("score_max", "number", "The highest rating there is"),
            Field("choice", "text", "The option chosen", "personal", "slug"),
            Field("text", "text", "In the person's own words", "personal", "text"),
            Field("at", "instant", "When it was given"),
        ),
    ),
    Table(
        "email_engagement",
        "What became of one marketing e-mail. Opens are inflated by clients that open by "
        "themselves: never the sole criterion.",
        (
            Field("campaign", "text", "Campaign", "none", "text"),
            Field(
                "action",
                "text",
                "sent, open, click, bounce, unsubscribe, complaint",
                "none",
                "slug",
            ),
            Field("at", "instant", "When"),
            Field("link", "text", "What was clicked"),
            Field("topic", "text", "What the e-mail was about", "none", "topic"),
        ),
    ),
)
_SIGNALS = (
    Table(
        "technology_install",
        "A technology seen at an account.",
        (
            Field("technology", "text", "Product, as a slug", "none", "technology"),
            Field("category", "text", "Category, as a slug", "none", "technology_category"),
            Field("first_detected_at", "instant", "First seen"),
            Field("last_detected_at", "instant", "Last seen"),
            Field("is_live", "boolean", "Still in use when last looked at"),
        ),
    ),
    Table(
        "intent_signal",
        "An account's research interest in a topic over a period.",
        (
            Field("topic", "text", "Topic, lower case, one space between words", "none", "topic"),
            Field("category", "text", "Category of the topic", "none", "topic"),
            Field("score", "number", "0 to 100; 60 and more is surging for Bombora"),
            Field("period_start", "date", "First day"),
            Field("period_end", "date", "Last day"),
        ),
    ),
    Table(
        "consent",
        "What a person has said about being addressed. Never a rule condition.",
        (
            Field("purpose", "text", "advertising, marketing", "none", "slug"),
            Field("channel", "text", "ads, email, phone, any", "none", "slug"),
            Field("status", "text", "granted, denied", "none", "slug"),
            Field("at", "instant", "When it was said"),
            Field("proof", "text", "Where the source recorded it", "none", "text"),
        ),
    ),
)
FACTS = (*_SALES, *_BEHAVIOUR, *_SIGNALS)
