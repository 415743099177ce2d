"""From the typed form to SQL. `local` is the DuckDB back end."""

from audiencehub.rules.compile.local import Compiled, Program, compile_book

__all__ = ["Compiled", "Program", "compile_book"]
