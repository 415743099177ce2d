"""Rules: YAML in; a typed form, SQL, verdicts and explanations out.

`load` reads a folder into a `RuleBook`; `compile_book` makes DuckDB statements of it that evaluate
all rules together; `evaluate` and `explain` answer for one `Profile` at a time.
"""

from audiencehub.rules.advice import advise
from audiencehub.rules.book import Activation, Example, Experiment, RuleBook, Segment
from audiencehub.rules.compile import Compiled, Program, compile_book
from audiencehub.rules.compile.local import Stage
from audiencehub.rules.evaluate import evaluate, matches
from audiencehub.rules.examples import Outcome, run_examples
from audiencehub.rules.explain import Explanation, explain, facts
from audiencehub.rules.language.form import Span
from audiencehub.rules.language.profile import Profile, Seen, profile_from_example
from audiencehub.rules.load import load

__all__ = [
    "Activation",
    "Compiled",
    "Example",
    "Experiment",
    "Explanation",
    "Outcome",
    "Profile",
    "Program",
    "RuleBook",
    "Seen",
    "Segment",
    "Span",
    "Stage",
    "advise",
    "compile_book",
    "evaluate",
    "explain",
    "facts",
    "load",
    "matches",
    "profile_from_example",
    "run_examples",
]
