"""Runs a machine, and counts the steps that were really taken."""

from __future__ import annotations

from collections import Counter

from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test


def drive(machine, examples, steps):
    """Steps taken by rule; raises what the machine finds."""
    machine.steps = Counter()
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
    return machine.steps
