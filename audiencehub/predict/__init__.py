"""Predict: seeded baselines that learn from what is dated before the clock, and score people.

`refresh` trains each model of a company, writes `model_score`, and says how well each one told
held-out people apart. Rules read a score as a trait.
"""

from audiencehub.predict.daily import learn_daily, models_of
from audiencehub.predict.scores import Model, Scored, refresh

__all__ = ["Model", "Scored", "learn_daily", "models_of", "refresh"]
