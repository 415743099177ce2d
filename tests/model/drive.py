"""Runs a machine, and counts the steps that were really taken."""

from __future__ import annotations

from collections import Counter

from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test


def drive(machine, examples, steps, **more):
    """Steps taken by rule; raises what the machine finds."""
    machine.steps = Counter()
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            **more,
        ),
    )
    return machine.steps


def fails(machine, examples=40, steps=30):
    """What the machine finds first, as text; None when it finds nothing. Nothing is shrunk."""
    try:
        drive(
            machine, examples, steps, phases=[Phase.generate], derandomize=True, database=None,
            print_blob=False,
        )  # fmt: skip
    except AssertionError as error:
        return str(error)
    return None
