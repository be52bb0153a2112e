"""Trains the model: data/churn.csv in, model/churn.json out. The same data and the
same release of scikit-learn give the same model."""

import csv
import random

import sklearn
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss, roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from churn import FEATURES, dump, encode

SEED = 7


def read(name):
    with open(name, newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        for feature, allowed in FEATURES.items():
            if not isinstance(allowed, list):
                row[feature] = float(row[feature])
    return rows


def train(name):
    """Returns the fitted pipeline, and what it did on a quarter that it had not seen."""
    rows = read(name)
    random.Random(SEED).shuffle(rows)
    cut = len(rows) * 3 // 4
    x, y = [encode(r) for r in rows], [int(r["churned"]) for r in rows]
    pipeline = make_pipeline(StandardScaler(), LogisticRegression(C=1.0, max_iter=1000))
    pipeline.fit(x[:cut], y[:cut])
    held_out = pipeline.predict_proba(x[cut:])[:, 1]
    return pipeline, {
        "training_rows": cut,
        "held_out_rows": len(rows) - cut,
        "held_out_auc": round(float(roc_auc_score(y[cut:], held_out)), 4),
        "held_out_log_loss": round(float(log_loss(y[cut:], held_out)), 4),
        "churned_share": round(sum(y) / len(y), 4),
        "scikit_learn": sklearn.__version__,
    }


def main():
    pipeline, trained = train("data/churn.csv")
    with open("model/churn.json", "w", encoding="utf-8") as file:
        file.write(dump(pipeline, trained))
    print(trained)


if __name__ == "__main__":
    main()
