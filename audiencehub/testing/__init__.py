"""Contract suites and oracles; shipped, so that a private connector inherits them."""
