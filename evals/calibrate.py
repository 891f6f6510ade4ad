"""`python -m evals.calibrate`: fit the refusal rule on the development split and print its trade-off on both.

The rule is a logistic regression over `advisor.refusal.Signs`; what is printed is copied into `advisor/refusal.py` by
hand, so that a change of the rule is a reviewed change. Questions that are no plain question (profiles, small talk,
injections, several questions at once) are left out: other rules decide on those.
"""

from __future__ import annotations

import sys
from dataclasses import astuple, fields
from pathlib import Path

import numpy as np

from advisor.chat import Advisor
from advisor.refusal import Signs, signs
from evals import samples

LEFT_OUT = frozenset({"garbage", "small-talk", "profile", "injection", "partial"})
GAPS = frozenset({"gap", "lead", "crowd", "named"})
"""Signs that a corpus without `not-covered.yaml` does not have."""
_LONGEST = 60
_HERE = Path(__file__).parent


def table(advisor: Advisor) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Signs (samples, signs), whether the guides answer (samples,), and whether a sample is for development."""
    knowledge = advisor.knowledge
    rows, answered, dev = [], [], []
    for sample in samples.load(_HERE, samples.headings(advisor.settings.corpus)):
        question = sample.standalone if sample.turns and sample.standalone else sample.question
        if sample.kind not in LEFT_OUT and len(question.split()) <= _LONGEST:
            rows.append(astuple(signs(knowledge.look_up(question), knowledge)))
            answered.append(not sample.decline)
            dev.append(sample.split == "dev")
    return np.array(rows), np.array(answered), np.array(dev)


def main() -> int:
    """Fit, and print weights and trade-off."""
    x, y, dev = table(Advisor.open())
    fit("WEIGHTS, BIAS", x, y, dev)
    blind = x.copy()
    blind[:, [field.name in GAPS for field in fields(Signs)]] = 0
    fit("WITHOUT_GAPS, BIAS_WITHOUT_GAPS", blind, y, dev)
    return 0


def fit(names: str, x: np.ndarray, y: np.ndarray, dev: np.ndarray) -> None:
    """Print the weights and the trade-off of the rule fitted on the development split."""
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=3, class_weight="balanced", max_iter=5000).fit(x[dev], y[dev])
    weights = tuple(round(float(w), 2) for w in model.coef_[0])
    print(f"{names} = {weights}, {float(model.intercept_[0]):.2f}")
    sure = model.predict_proba(x)[:, 1]
    print("threshold  dev: wrongly refused, answered though absent   test: the same")
    for threshold in np.arange(0.15, 0.7, 0.05):
        shares = [
            f"{np.mean(sure[half & y] < threshold):.3f} {np.mean(sure[half & ~y] >= threshold):.3f}"
            for half in (dev, ~dev)
        ]
        print(f"{threshold:9.2f}  {shares[0]:>42}   {shares[1]:>14}")


if __name__ == "__main__":
    sys.exit(main())
