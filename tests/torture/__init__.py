"""The crash sweep: real processes killed at every named point, and what the places hold after it.

    company   who is where on each of three days, by seed: the model that all counts stand on
    grounds   the destinations: toy places in a file, vendors behind their fakes
    storm     locks, timeouts after apply and resets, by seed
    fakes     the vendors' fakes in a process of their own
    story     what a process lives through: three days of plan, approve, push
    naive     the controls: push then mark, mark then push
    tally     missing, extra, twice, false confirms, rows sent again
    worker    forks a process for each life, kills it, starts the next, counts

The worker itself holds no database and no thread, and asserts it before each fork: a child that
inherits an open DuckDB handle loses what it writes.
"""
