"""The invariants: what is held against the model at every call, after every step and run."""

from __future__ import annotations

from audiencehub.delivery.diff import CONSENT, REMOVE
from tests.model.twin import LISTED, SEGMENTS, TAGGED, joined, moves
from tests.model.world import FOREIGN

TAGS = "crm/contact/tags"
MERGED = (
    "reason <> 'unmerged' AND reason NOT LIKE 'merged_into %' AND reason NOT LIKE 'merged_from %'"
)


class Watch:
    """Collects what went wrong; `check` raises it."""

    def __init__(self, company):
        self.company, self.world = company, company.world
        self.problems = []
        self.plans = {}
        """Run to (what the hub knew when it planned, the members then; None when the rules had not
        been evaluated since it last read: what was approved is planned again without them)."""
        self.evaluated = False
        """Memberships are those of what the hub knows."""
        self.log, self.replies, self.batches = 0, 0, 0
        self.people, self.members = set(), {name: set() for name in SEGMENTS}
        self.uploads = 0

    @property
    def ledger(self):
        return self.company.ledger

    def problem(self, what):
        self.problems.append(f"run {self.company.runs}: {what}")

    # At every call.

    def landed(self, counts, complete, moved):
        """A pull is complete when it is proven to be, and only then moves the watermark."""
        if counts != complete:
            self.problem(f"a pull that was {self.world.pages} counts as complete: {counts}")
        if moved and not complete:
            self.problem("an incomplete pull moved the watermark")

    def planning(self, hub):
        members = self.members if self.evaluated else None
        self.plans[hub.run_id] = (self.company.known.copy(), members)

    def sending(self, target, changes):
        """Before a batch is applied: each row has a durable intent, a released plan and a cause."""
        rows = self.ledger._db.rows(
            "SELECT i.member, i.op, i.person, i.phase, p.run_id, p.verdict FROM intent i"
            " JOIN plan p USING (plan_id) WHERE i.target=? AND i.state='sent'",
            (target.id,),
        )
        intents = {row[0]: row[1:] for row in rows}
        for change in changes:
            if change.member not in intents:
                self.problem(f"{target.id} {change.member} was sent without an intent")
                continue
            op, person, phase, run_id, verdict = intents[change.member]
            if op != change.op or verdict not in ("go", "approved"):
                self.problem(f"{target.id} {change.op} was sent of a plan that is {verdict}")
            known, members = self.plans[run_id]
            if target.kind == "list":
                self._list_row(target.id, change, person, phase, known, members)
            else:
                self._tag_row(target.id, change, phase, known, members)

    def _list_row(self, target, change, person, phase, known, members):
        wanted = known.listed(target, members) if members else None
        values = set(change.identifiers.values())
        if change.op == "add":
            self.uploads += 1
            if not self._may(person):
                self.problem(f"{target}: {person} was uploaded without consent")
            if members and not values <= wanted:
                self.problem(f"{target}: {person} was uploaded and is not in the segment")
            return
        if known.incomplete and phase == REMOVE:
            self.problem(f"{target}: {person} was removed after an incomplete pull")
        if members and values & wanted & self._standing(target, known, members):
            self.problem(f"{target}: {person} was removed without a cause")

    def _standing(self, target, known, members):
        """Of those wanted then, who may still be there now."""
        later = known.copy()
        later.words, later.suppressed = self.company.known.words, self.company.known.suppressed
        return later.listed(target, members)

    def _tag_row(self, target, change, phase, known, members):
        before, tags = self.world.tags[change.member], set(change.value.tags)
        lost, gained = before - tags, tags - before - {FOREIGN}
        group = self.company.known.groups.get(change.member, frozenset([change.member]))
        if group & self.company.known.suppressed:
            if tags & set(SEGMENTS):
                self.problem(f"{target}: {change.member} was tagged and is suppressed")
            return
        if FOREIGN in lost and phase != CONSENT:
            self.problem(f"{target}: {change.member} lost a tag that a person gave")
        if known.incomplete and phase != CONSENT and lost:
            self.problem(f"{target}: {change.member} lost a tag after an incomplete pull")
        if not members:
            return
        wanted = known.tags(target, members).get(change.member, frozenset())
        if lost & wanted:
            self.problem(f"{target}: {change.member} lost a tag without a cause")
        if gained - wanted:
            self.problem(f"{target}: {change.member} was tagged and is not in the segment")

    def _may(self, person):
        """Whether the model knows of consent, at this very moment."""
        keys = self.company.keys()
        key = keys[person]
        alias = self.ledger.merges.alias("contact")
        stands = alias.get(person, person)
        merged = frozenset(k for own, k in keys.items() if alias.get(own, own) == stands)
        for known in self.company.possible():
            groups = {known.groups.get(key, frozenset([key]))}
            if self.company.torn:
                groups.add(merged)
            if any(known.allowed(group) for group in groups):
                return True
        return False

    # After a step of the run.

    def persons(self):
        """Who is who as the hub has it, held against what connects the records."""
        company, merges = self.company, self.ledger.merges
        keys, upto = company.keys(), company.warehouse.applied
        alias = merges.alias("contact")
        found = {}
        for own, key in keys.items():
            found.setdefault(alias.get(own, own), set()).add(key)
        groups = {key: frozenset(one) for one in found.values() for key in one}
        manual = [
            (keys[one], keys[other])
            for _, one, other in merges.manual("contact", upto)
            if one in keys and other in keys
        ]
        apart = [(keys[s.keeps], keys[s.goes]) for s in merges.separations("contact", upto)]
        for whole in joined(company.known.rows, keys.values(), manual):
            parts = {groups[key] for key in whole}
            cut = [pair for pair in apart if set(pair) <= whole]
            if not cut and parts != {whole}:
                self.problem(f"{sorted(map(sorted, parts))} should be one: {sorted(whole)}")
            if any(not part <= whole for part in parts):
                self.problem(f"{sorted(map(sorted, parts))} share nothing")
            if any(groups[one] is groups[other] for one, other in cut):
                self.problem(f"{cut} were parted and are together")
        return groups

    def segmented(self):
        """Memberships are the model's, and the log has no event that the model has not."""
        company = self.company
        members = company.known.members(company.hub.now)
        current = self.ledger.membership.current("contact")
        keys = company.keys()
        for name in SEGMENTS:
            has = {company.known.groups[keys[number]] for number in current.get(name, {})}
            if has != members[name]:
                extra = sorted(map(sorted, has ^ members[name]))
                self.problem(f"{name} differs from the model in {extra}")
        self._history(members)
        self.evaluated = True

    def moved(self):
        """After a kill: memberships that were written count, whatever else was lost."""
        row = self.ledger._db.row("SELECT coalesce(max(seq), 0) FROM membership_log")
        if int(row[0]) != self.log and not self.company.pending:
            self._history(self.company.known.members(self.company.hub.now))

    def _history(self, members):
        people = self.company.known.people()
        limits = moves(self.members, members, self.people, people)
        rows = self.ledger._db.rows(
            "SELECT segment, op, count(*) FROM membership_log"
            f" WHERE seq>? AND entity='contact' AND {MERGED} GROUP BY 1, 2",
            (self.log,),
        )
        for segment, op, count in rows:
            most = limits[segment][0 if op == "entered" else 1]
            if count > most:
                self.problem(f"{count} {op} {segment} in the log, the model knows of {most}")
        row = self.ledger._db.row("SELECT coalesce(max(seq), 0) FROM membership_log")
        self.log, self.people, self.members = int(row[0]), people, members

    # After a run.

    def after_run(self, died):
        """One reply for each call that was answered, one verdict for each of its rows."""
        rows = self.ledger._db.rows(
            "SELECT outcome, confirmed+rejected+retried+unknown FROM reply WHERE n>? ORDER BY n",
            (self.replies,),
        )
        batches = self.world.batches[self.batches :]
        self.replies += len(rows)
        self.batches += len(batches)
        if not len(batches) - died <= len(rows) <= len(batches):
            self.problem(f"{len(batches)} calls have {len(rows)} replies")
        for batch, (outcome, verdicts) in zip(batches, rows, strict=False):
            counted = outcome in ("answered", "no_answer", "verdicts_do_not_match")
            if batch.outcome != outcome or verdicts != (len(batch.members) if counted else 0):
                self.problem(
                    f"{batch.target}: {batch.outcome} of {len(batch.members)} rows is on record as"
                    f" {outcome} with {verdicts} verdicts"
                )
        if not died and self.ledger._db.row("SELECT 1 FROM intent WHERE state='sent'"):
            self.problem("a run ended and left an intent without a verdict")

    # After every step.

    def check(self):
        """Raise what went wrong."""
        for target in TAGGED:
            self._believed_tags(target)
        for target in LISTED:
            self._believed_list(target)
        if self.ledger.audit.verify():
            self.problem("the audit chain is broken")
        assert not self.problems, "\n".join(self.problems)

    def _believed_tags(self, target):
        world, believed = self.world, self.ledger.delivery.believed(target)
        doubted = {one.member for one in self.ledger.delivery.unsettled(target)}
        for key in world.live():
            if key in doubted or (target, key) in world.disturbed:
                continue
            held = believed[key].tags if key in believed else frozenset()
            if held != world.tags[key]:
                has = sorted(world.tags[key])
                self.problem(f"{target}: {key} has {has}, confirmed are {sorted(held)}")
        for key, edit in self.ledger.edits.of(target).items():
            said = {("added", tag) for tag in edit.added}
            said |= {("removed", tag) for tag in edit.removed}
            if not said <= world.hands.get(key, set()):
                self.problem(f"{target}: {key} is said to be edited by hand: {sorted(said)}")

    def _believed_list(self, target):
        world, delivery, sealing = self.world, self.ledger.delivery, self.ledger.sealing
        doubted = {one.member for one in delivery.unsettled(target)}
        believed = set(delivery.believed(target))
        values = {
            member: set(sealing.open(token).values())
            for member, token in delivery.identifiers(target, sorted(believed | doubted)).items()
        }
        doubt = {value for member in doubted for value in values.get(member, ())}
        rows = self.ledger._db.rows(
            "SELECT c.sealed FROM intent i JOIN plan_change c ON c.plan_id=i.plan_id"
            " AND c.member=i.member AND c.op=i.op WHERE i.target=? AND i.state IN"
            " ('sent','unknown') AND c.sealed IS NOT NULL",
            (target,),
        )
        doubt |= {value for (token,) in rows for value in sealing.open(bytes(token)).values()}
        doubt |= {value for where, value in world.disturbed if where == target}
        claimed = {value for member in believed for value in values.get(member, ())}
        has = world.lists.get(target, set()) - world.foreign.get(target, set())
        if claimed - has - doubt:
            self.problem(f"{target}: {len(claimed - has - doubt)} confirmed and not there")
        if has - claimed - doubt:
            self.problem(f"{target}: {len(has - claimed - doubt)} there and not confirmed")

    # When all is quiet.

    def differs(self):
        """What the destinations still lack or have too much, at rest."""
        company, found = self.company, []
        known, members = company.known, self.members
        aside = {(q.source, q.source_id) for q in self.ledger.quarantine.list()}
        for target in TAGGED:
            wanted, edits = known.tags(target, members), self.ledger.edits.of(target)
            for key in self.world.live():
                want = wanted.get(key, frozenset())
                if key in edits and not known.groups[key] & known.suppressed:
                    want = edits[key].over(want)
                has = self.world.tags[key]
                if has - {FOREIGN} != want - {FOREIGN} and (target, key) not in aside:
                    found.append(
                        f"{target}: {key} has {sorted(has)} and should have {sorted(want)}"
                    )
        for target in LISTED:
            if any(where == target for where, _ in aside):
                continue
            hands = {value for where, value in self.world.disturbed if where == target}
            has = self.world.lists.get(target, set()) - self.world.foreign.get(target, set())
            wanted = known.listed(target, members)
            if has - hands != wanted - hands:
                lacks, extra = len(wanted - has - hands), len(has - wanted - hands)
                found.append(f"{target}: {lacks} are missing, {extra} too many")
        return found
