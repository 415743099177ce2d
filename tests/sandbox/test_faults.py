from __future__ import annotations

import time

import pytest
import requests

from audiencehub.sandbox.host import serve


@pytest.fixture
def url(toy):
    with serve(toy) as address:
        yield address


def script(url: str, *faults: dict) -> None:
    answer = requests.post(f"{url}/__faults", json=list(faults), timeout=5)
    assert answer.status_code == 204, answer.text


def put(url: str, note: str) -> requests.Response:
    return requests.put(f"{url}/notes/{note}", json={"text": "x"}, timeout=5)


def notes(url: str) -> set[str]:
    return {one["id"] for one in requests.get(f"{url}/notes", timeout=5).json()["results"]}


def test_without_faults_the_work_is_done_and_logged(url):
    """A fake that does not do or does not count its work makes every delivery test worthless."""
    assert put(url, "1").status_code == 201
    assert notes(url) == {"1"}
    assert requests.get(f"{url}/__writes", timeout=5).json() == [{"member": "1", "op": "set"}]


def test_status_answers_instead_of_the_vendor(url):
    """A scripted refusal that still did the work would hide writes that were never proven."""
    script(url, {"status": 503, "headers": {"Retry-After": "3"}, "body": {"error": "busy"}})
    answer = put(url, "1")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "3")
    assert answer.json() == {"error": "busy"}
    assert notes(url) == set()


def test_a_text_body_is_sent_as_a_page(url):
    """Proxies answer with HTML: if the fake sends it as JSON, nobody notices the difference."""
    script(url, {"status": 502, "body": "<html>bad gateway</html>"})
    answer = requests.get(f"{url}/notes", timeout=5)
    assert answer.headers["content-type"] == "text/html"
    assert answer.text == "<html>bad gateway</html>"


def test_after_apply_does_the_work_and_loses_the_answer(url):
    """The outcome-unknown path is untested unless the write really happened."""
    script(url, {"status": 504, "after_apply": True})
    assert put(url, "1").status_code == 504
    assert notes(url) == {"1"}


@pytest.mark.parametrize("after_apply", [False, True])
def test_hang_up_closes_the_connection_without_a_byte(url, after_apply):
    """A 500 in place of a hang-up would be an answer, and lead down another path."""
    script(url, {"hang_up": True, "after_apply": after_apply})
    with pytest.raises(requests.ConnectionError, match="without response"):
        put(url, "1")
    assert notes(url) == ({"1"} if after_apply else set())


def test_cut_declares_the_whole_and_sends_half(url):
    """A reply that ends in the middle must look so on the wire, not like a short good one."""
    put(url, "1")
    script(url, {"cut": True})
    with pytest.raises(requests.exceptions.ChunkedEncodingError, match="IncompleteRead"):
        requests.get(f"{url}/notes", timeout=5)
    assert notes(url) == {"1"}


def test_truncate_sends_a_short_body_that_claims_to_be_whole(url):
    """Truncated JSON with a matching length is what only a parser can catch."""
    script(url, {"truncate": 10})
    answer = requests.get(f"{url}/notes", timeout=5)
    assert (answer.status_code, len(answer.content)) == (200, 10)
    assert answer.headers["content-length"] == "10"


def test_set_json_overwrites_and_removes_keys_of_the_true_reply(url):
    """Lies of a vendor (an empty list, a lost cursor) are told through this."""
    put(url, "1")
    script(url, {"set_json": {"results": [], "next": None}})
    assert requests.get(f"{url}/notes", timeout=5).json() == {"results": []}
    assert notes(url) == {"1"}


def test_content_type_changes_and_body_stays(url):
    """A true reply under a wrong type must not be taken for data by its looks."""
    script(url, {"content_type": "text/html"})
    answer = requests.get(f"{url}/notes", timeout=5)
    assert answer.headers["content-type"] == "text/html"
    assert answer.json()["next"] == "2"


def test_delay_outlasts_the_caller_and_the_write_still_happens(url):
    """Timeouts after which the write arrives are the commonest unknown outcome."""
    script(url, {"delay": 0.4})
    with pytest.raises(requests.ReadTimeout):
        requests.put(f"{url}/notes/1", json={"text": "x"}, timeout=0.1)
    deadline = time.monotonic() + 10
    while not requests.get(f"{url}/__writes", timeout=5).json():
        assert time.monotonic() < deadline, "the delayed write never happened"


def test_a_fault_strikes_only_what_it_names_and_as_often_as_it_says(url):
    """Faults that strike too much or too often make other tests fail for no reason."""
    script(
        url,
        {"path": "/notes/2", "method": "PUT", "status": 500, "skip": 1, "times": 2},
        {"path": "page=9", "status": 404},
        {"body_has": "poison", "status": 400},
    )
    assert put(url, "1").status_code == 201
    assert [put(url, "2").status_code for _ in range(4)] == [201, 500, 500, 201]
    assert requests.get(f"{url}/notes?page=9", timeout=5).status_code == 404
    poison = requests.put(f"{url}/notes/3", json={"text": "poison"}, timeout=5)
    assert poison.status_code == 400


def test_deleted_faults_strike_no_more(url):
    """A fault left over from one test must not reach the next."""
    script(url, {"status": 500, "times": 9})
    requests.delete(f"{url}/__faults", timeout=5)
    assert put(url, "1").status_code == 201


def test_a_misspelt_fault_is_refused(url):
    """A typing error in a fault would leave the test green without any fault."""
    answer = requests.post(f"{url}/__faults", json=[{"statsu": 500}], timeout=5)
    assert answer.status_code == 400
    assert requests.get(f"{url}/__faults", timeout=5).json() == []


def test_requests_are_remembered_with_their_query(url):
    """Paging and quota tests count requests here."""
    requests.get(f"{url}/notes?after=3", timeout=5)
    seen = requests.get(f"{url}/__requests", timeout=5).json()
    assert seen == [{"method": "GET", "path": "/notes", "query": "after=3"}]


def test_the_port_is_free_again_when_the_block_ends(toy):
    """Servers left behind pile up over a test run and answer for their successors."""
    with serve(toy) as address:
        assert requests.get(f"{address}/notes", timeout=5).ok
    with pytest.raises(requests.ConnectionError):
        requests.get(f"{address}/notes", timeout=5)
    with serve(toy, int(address.rpartition(":")[2])) as again:
        assert again == address


def test_a_lie_answers_and_keeps_a_share(url):
    """Without a fake that lies, nobody knows whether a lie would be found."""
    put(url, "1")
    script(url, {"method": "PUT", "lie": 1.0})
    assert put(url, "2").status_code == 201
    script(url, {"method": "PUT", "lie": 1.0})
    assert put(url, "1").json()["text"] == "x"

    assert notes(url) == {"1"}
    assert len(requests.get(f"{url}/__writes", timeout=5).json()) == 3


def test_lists_of_replies_are_rearranged_as_said(url):
    """Verdicts in another order, too few, twice, of strangers: each must be makeable at will."""
    for note in "abcd":
        put(url, note)

    def listed(**how):
        script(url, {"method": "GET", "rows": "results", **how})
        return [one["id"] for one in requests.get(f"{url}/notes", timeout=5).json()["results"]]

    shuffled = listed(shuffle=3)
    assert sorted(shuffled) == list("abcd") != shuffled
    assert listed(shuffle=3) == shuffled
    assert listed(drop=1) == list("bcd")
    assert listed(repeat=1) == list("abcda")
    assert set(listed(strange=1)) - set("abcd") != set()
