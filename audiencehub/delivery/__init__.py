"""Delivery: from memberships to proven places at destinations, one target at a time.

places (which targets) → desired (what each should hold) → diff (what differs from believed) →
gates and guards (may it go) → draft (the stored plan) → courier (send, settle, prove) → drift.
"""
