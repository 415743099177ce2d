"""One folder per vendor; a folder with a `SPEC` in its `__init__` is a connector."""
