"""One seeded baseline for every question: a logistic regression, judged on people it never saw."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from audiencehub.predict.features import Features, Ids, Matrix

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

FEWEST = 10
"""People of either kind that it takes to learn anything, and as many to judge it."""
HELD_OUT = 0.3
STRENGTH = 0.1
"""Inverse of the penalty: strong, because companies have few conversions and many features."""
DECIMALS = 4


@dataclass(frozen=True, slots=True)
class Learned:
    """A model, and what it is worth."""

    pipeline: Pipeline
    names: tuple[str, ...]
    auc: float
    """Of people held out, who took no part in the training; 0.5 is a coin."""
    people: int
    positives: int
    held_out: int

    def score(self, features: Features) -> Matrix:
        """A probability per row, to four decimals."""
        if not len(features.ids):
            return np.zeros(0)
        with threadpool_limits(limits=1):
            chance: Matrix = self.pipeline.predict_proba(features.values)[:, 1]
        return np.round(chance, DECIMALS)

    def weights(self, count: int = 5) -> tuple[tuple[str, float], ...]:
        """The features that move the score most, strongest first, with their sign."""
        found = self.pipeline[-1].coef_[0]
        order = sorted(range(len(found)), key=lambda n: (-abs(found[n]), self.names[n]))
        return tuple((self.names[n], round(float(found[n]), 3)) for n in order[:count])


def learn(features: Features, positive: Ids, seed: str) -> Learned | str:
    """A model that tells `positive` from the other rows, or why none can be had.

    Judged on a share held out by a hash of the seed and the id, then trained anew on all. Equal
    input gives equal output: one thread, no shuffling.
    """
    # Half a second to import, and most runs learn nothing.
    from sklearn.metrics import roc_auc_score

    labels = np.isin(features.ids, positive)
    held = _held_out(features.ids, seed)
    for part, what in ((~held, "to learn from"), (held, "to judge by")):
        kinds = (int(labels[part].sum()), int((~labels[part]).sum()))
        if min(kinds) < FEWEST:
            return f"too few people {what}: {kinds[0]:,} examples, {kinds[1]:,} others"
    with threadpool_limits(limits=1):
        judged = _pipeline().fit(features.values[~held], labels[~held])
        chance = judged.predict_proba(features.values[held])[:, 1]
        auc = float(roc_auc_score(labels[held], chance))
        final = _pipeline().fit(features.values, labels)
    return Learned(final, features.names, auc, len(labels), int(labels.sum()), int(held.sum()))


def _pipeline() -> Pipeline:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return make_pipeline(StandardScaler(), LogisticRegression(C=STRENGTH, max_iter=2000))


def _held_out(ids: Ids, seed: str) -> npt.NDArray[np.bool_]:
    limit = int(HELD_OUT * 2**32)
    return np.fromiter(
        (
            int.from_bytes(hashlib.blake2b(f"{seed}|{one}".encode(), digest_size=4).digest())
            < limit
            for one in ids
        ),
        dtype=np.bool_,
        count=len(ids),
    )
