"""Benchmarks: ratios in one run, never a test. `make bench`; results in RESULTS.md."""
