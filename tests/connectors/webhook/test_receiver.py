"""The fake by itself: what a careful receiver refuses."""

from __future__ import annotations

EMPTY = {"audience": "vip", "label": "VIP", "added": [], "removed": []}
ROW = {"external_id": "C-1"}


def test_a_message_that_is_not_signed_by_our_key_is_refused(receiver):
    """A fake that takes what anybody posts would not notice a signature that is wrong."""
    assert receiver.post(EMPTY) == (200, None)
    assert receiver.post(EMPTY, key="another-key") == (401, "signature")
    bare = {"X-Audiencehub-Signature": ""}
    assert receiver.post(EMPTY, **bare) == (401, "signature")
    assert receiver.post(EMPTY, **{"X-Audiencehub-Timestamp": "1"}) == (401, "signature")


def test_a_message_that_was_signed_long_ago_is_refused(receiver, old):
    """What was listened in on could be sent again tomorrow."""
    assert receiver.post(EMPTY, at=old) == (401, "too_old")


def test_a_key_comes_again_with_the_same_content_alone(receiver):
    """A key that is reused for other people would be taken for a repetition, and they be lost."""
    full = {**EMPTY, "added": [ROW]}
    assert receiver.post(full) == receiver.post(full) == (200, None)
    assert receiver.post({**full, "added": []}) == (422, "idempotency_key_reused")
    assert receiver.post(full, id_="") == (400, "idempotency_key")
    assert receiver.held() == [ROW]


def test_a_message_of_another_shape_is_refused(receiver):
    """A typing error in the format would be found by customers."""
    assert receiver.post(b"{") == (400, "json")
    assert receiver.post({**EMPTY, "more": 1}) == (400, "keys")
    assert receiver.post({**EMPTY, "added": {}}) == (400, "rows")
    assert receiver.post({**EMPTY, "added": [ROW] * 501}) == (413, "too_many_rows")
    assert receiver.post({**EMPTY, "audience": "", "added": [ROW]}) == (422, "no_audience")


def test_a_removal_takes_out_whoever_has_one_of_its_names(receiver):
    """A person whose address changed since is still found by the company's own id."""
    rows = [{**ROW, "email": "a@x.example"}, {"email": "b@x.example"}]
    receiver.post({**EMPTY, "added": rows}, id_="message-1")
    receiver.post({**EMPTY, "removed": [ROW]}, id_="message-2")
    assert receiver.held() == [{"email": "b@x.example"}]
