"""Logins: tokens that run out, and refresh tokens that change with every use."""

import stat
from dataclasses import replace

import pytest

from audiencehub.errors import Stop
from connectors.microsoft_ads.login import keep

TOKEN = "/oauth2/v2.0/token"
APPLY = "/CustomerListUserData/Apply"
EMAILS = ["p0@acme.example", "p1@acme.example"]


@pytest.mark.parametrize("status", [500, 401, 400])
def test_an_expired_token_is_renewed_once(fake_with, opened, target, changes, emails, status):
    """If this fails, the first call after an hour ends the run, or is believed to have failed."""
    fake = fake_with(expired_status=status)
    destination = opened(fake)
    ready = replace(target, remote=destination.ensure(target, []))
    fake.later(hours=2)
    receipts = destination.apply(ready, changes(EMAILS))
    assert [one.verdict for one in receipts] == ["confirmed"] * 2
    assert fake.items(ready.remote["audience_id"]) == emails(EMAILS)
    assert len(fake.requests(TOKEN)) == 2
    assert len(fake.requests(APPLY)) == 2


def test_a_token_that_is_always_expired_stops(fake_with, opened, target):
    """If this fails, a wrong clock makes the hub log in for ever."""
    fake = fake_with(token_seconds=0)
    with pytest.raises(Stop, match="expired") as raised:
        opened(fake).ensure(target, [])
    assert "clock" in raised.value.hint
    assert len(fake.requests(TOKEN)) <= 3


def test_a_refusal_without_a_body_is_renewed_once(destination, fake, target):
    """If this fails, a gate in front of the API that answers 401 ends in an unreadable answer."""
    fake.fault(path="QueryByIds", status=401)
    assert destination.ensure(target, [])
    fake.fault(path="QueryByIds", times=2, status=401)
    with pytest.raises(Stop, match="refused"):
        destination.check()


def test_the_newest_refresh_token_is_used(fake, opened):
    """If this fails, a process that runs for long goes on with a token that runs out."""
    destination = opened(fake)
    destination.check()
    fake.later(hours=2)
    seen = fake.sandbox.store.table("refresh")
    assert list(seen) == ["M.C5-000001"]
    fake.fault(path=TOKEN, body_has="sandbox-refresh_token", status=400, body={"error": "old"})
    destination.check()
    assert len(seen) == 2


def test_a_file_keeps_the_newest(fake, opened, tmp_path, caplog):
    """If this fails, the login ends ninety days after a person made it, or stands in a log."""
    caplog.set_level("DEBUG")
    path = tmp_path / "refresh"
    path.write_text("sandbox-refresh_token\n")
    path.chmod(0o600)
    opened(fake, refresh_token={"file": str(path)}).check()
    assert path.read_text() == "M.C5-000001\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]
    again = opened(
        fake, secrets={"refresh_token": "M.C5-000001"}, refresh_token={"file": str(path)}
    )
    fake.later(days=80)
    again.check()
    assert path.read_text() == "M.C5-000002\n"
    assert "M.C5" not in caplog.text


def test_a_file_that_somebody_wrote_anew_is_left(tmp_path):
    """If this fails, a token that a person has just put there is lost."""
    path = tmp_path / "refresh"
    path.write_text("by hand")
    keep(path, "old", "new")
    assert path.read_text() == "by hand"


def test_a_link_stays_a_link(tmp_path):
    """If this fails, the place that the link leads to keeps the old token."""
    real, link = tmp_path / "real", tmp_path / "link"
    real.write_text("old")
    link.symlink_to(real)
    keep(link, "old", "new")
    assert link.is_symlink() and real.read_text() == "new\n"


def test_what_cannot_be_written_ends_no_run(fake, opened, tmp_path):
    """If this fails, a secret on a read-only volume stops every push."""
    place = tmp_path / "absent" / "refresh"
    assert opened(fake, refresh_token={"file": str(place)}).check()
    assert not place.exists() and not list(tmp_path.iterdir())


def test_an_application_with_a_secret_sends_it(fake, opened):
    """If this fails, web applications cannot log in."""
    reference = {"env": "MICROSOFT_CLIENT_SECRET"}
    assert opened(fake, client_secret=reference).check()
    wrong = opened(fake, client_secret=reference, secrets={"client_secret": "wrong"})
    with pytest.raises(Stop, match="refused"):
        wrong.check()


def test_no_token_travels_in_an_address(destination, fake, ready, changes, caplog):
    """If this fails, tokens stand in proxy logs, or in ours."""
    caplog.set_level("DEBUG")
    destination.apply(ready, changes(EMAILS))
    said = caplog.text + str(fake.requests())
    assert "sandbox-" not in said and "EwB" not in said
    assert not any(one.identifiers["email"] in said for one in changes(EMAILS))


def test_a_login_that_ran_out_says_what_to_do(fake, opened):
    """If this fails, somebody whose login is ninety days old looks for a wrong client id."""
    destination = opened(fake, secrets={"refresh_token": "M.C5-000000"})
    with pytest.raises(Stop) as raised:
        destination.check()
    assert "Log in" in raised.value.hint and "90 days" in raised.value.hint
    assert "M.C5" not in str(raised.value)
