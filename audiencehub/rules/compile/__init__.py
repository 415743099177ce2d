"""From the typed form to SQL. `local` is the DuckDB back end; `delta` runs it on what changed."""

from audiencehub.rules.compile.delta import last_clock, run_changed
from audiencehub.rules.compile.local import Compiled, Program, Stage, compile_book

__all__ = ["Compiled", "Program", "Stage", "compile_book", "last_clock", "run_changed"]
