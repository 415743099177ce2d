"""The plain evaluator's leaves: one module per kind, each judging one node of one profile."""
