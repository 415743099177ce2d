"""Names that Meta may flag.

"Customer File Custom Audiences" names diseases, credit scores and incomes as what an audience may
not suggest. Meta's own list is not published, so this is advice.
"""

from __future__ import annotations

import re

_STEMS = (
    "arthrit", "asthma", "cancer", "depress", "diabet", "disab", "epilep", "fertility", "hiv",
    "medication", "migraine", "obes", "oncolog", "patient", "pregnan", "therapy",
    "bankrupt", "credit score", "debt", "foreclos", "high income", "insolven", "low income",
    "net worth", "overdue", "payday",
)  # fmt: skip
_WORDS = re.compile(rf"\b(?:{'|'.join(_STEMS)})", re.I)


def suggests(name: str) -> bool:
    """Whether a name hints at people's health or finances, as far as these words go."""
    return _WORDS.search(name.replace("_", " ")) is not None
