"""Audiences of the fake: create, delete, list, details."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from connectors.tiktok_ads.sandbox.business import BusinessError, text, texts, whole

if TYPE_CHECKING:
    from connectors.tiktok_ads.sandbox.app import TikTokSandbox

FIRST = 7190000000000000000
LONGEST, CUT = 70, 67
MOST = 400
CALCULATED = timedelta(hours=24)
"""From the first member until the audience can be used."""
EXPIRES, WARNED = timedelta(days=365), timedelta(days=60)

Document = dict[str, Any]


def change(fake: TikTokSandbox, body: Document) -> Document:
    """`/segment/audience/`: `{"audience_id": …}` of a new audience, or of the deleted one."""
    advertiser = fake.advertiser(text(body, "advertiser_id"))
    action = body.get("action", "create")
    if action == "delete":
        audience = find(fake, text(body, "delete_audience_id"), [advertiser])
        fake.store.table(f"member:{audience['id']}").clear()
        del fake.store.table("audience")[audience["id"]]
        return {"audience_id": audience["id"]}
    if action != "create":
        raise BusinessError(40002, "action: Must be one of: create, delete.")
    name = text(body, "custom_audience_name")
    table = fake.store.table("audience")
    if sum(one["advertiser"] == advertiser for one in table.values()) >= MOST:
        raise BusinessError(40002, f"The number of audiences has reached the limit of {MOST}.")
    counter = fake.store.table("counter")
    number = counter.get("audience", {"next": FIRST})["next"]
    counter["audience"] = {"next": number + 1}
    table[str(number)] = {
        "id": str(number),
        "advertiser": advertiser,
        # Cut off without a word, as the real one does.
        "name": name if len(name) <= LONGEST else f"{name[:CUT]}...",
        "created": fake.clock.tick().isoformat(),
        "mapped": None,
    }
    return {"audience_id": str(number)}


def find(fake: TikTokSandbox, number: str, advertisers: list[str]) -> Document:
    """The stored audience, which must belong to one of the advertisers."""
    found = fake.store.table("audience").get(number)
    if found is None or found["advertiser"] not in advertisers:
        raise BusinessError(40002, "audience_ids: Audience does not belong to the advertiser.")
    return found


def listed(fake: TikTokSandbox, query: Document) -> Document:
    """`/dmp/custom_audience/list/`: one page, newest first."""
    advertiser = fake.advertiser(text(query, "advertiser_id"))
    page, size = whole(query, "page", 1, 10_000), whole(query, "page_size", 10, 100)
    every = [one for one in reversed(_visible(fake)) if one["advertiser"] == advertiser]
    return {
        "list": [_shown(fake, one) for one in every[(page - 1) * size : page * size]],
        "page_info": {
            "page": page,
            "page_size": size,
            "total_number": len(every),
            "total_page": -(-len(every) // size),
        },
    }


def details(fake: TikTokSandbox, query: Document) -> Document:
    """`/dmp/custom_audience/get/`: what is known of the audiences named; none for the others."""
    advertiser = fake.advertiser(text(query, "advertiser_id"))
    wanted = texts(query, "custom_audience_ids")
    if len(wanted) > 100:
        raise BusinessError(40002, "custom_audience_ids: Length must be between 1 and 100.")
    found = [one for one in _visible(fake) if one["id"] in wanted]
    return {
        "list": [
            {"audience_details": _shown(fake, one), "audience_history": []}
            for one in found
            if one["advertiser"] == advertiser
        ]
    }


def _visible(fake: TikTokSandbox) -> list[Document]:
    """Option `visible_hours`: how long a new audience is not shown yet."""
    age = timedelta(hours=float(fake.options.get("visible_hours", 0)))
    return [
        one
        for one in fake.store.table("audience").values()
        if fake.clock.now() - datetime.fromisoformat(one["created"]) >= age
    ]


def _shown(fake: TikTokSandbox, audience: Document) -> Document:
    now = fake.clock.now()
    expires = datetime.fromisoformat(audience["created"]) + EXPIRES
    mapped = audience["mapped"]
    calculated = mapped is not None and now - datetime.fromisoformat(mapped) >= CALCULATED
    held = fake.store.table(f"member:{audience['id']}").values()
    return {
        "audience_id": audience["id"],
        "name": audience["name"],
        "audience_type": "Customer File Audience",
        "audience_sub_type": "NORMAL",
        "cover_num": len({one["person"] for one in held if one["found"]}) if calculated else 0,
        "shared": False,
        "is_creator": True,
        "owner_id": audience["advertiser"],
        "is_valid": calculated and now < expires,
        "is_expiring": timedelta(0) < expires - now <= WARNED,
        "error_msg": str(fake.options.get("error_msg", "")),
        "create_time": datetime.fromisoformat(audience["created"]).strftime("%Y-%m-%d %H:%M:%S"),
        "expired_time": expires.strftime("%Y-%m-%d %H:%M:%S"),
    }
