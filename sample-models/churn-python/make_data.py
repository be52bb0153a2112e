"""Makes data/churn.csv: the customers of a mobile operator who does not exist.

No operator gives its customers' data away, so they are drawn from the law below
with a fixed seed. They follow what is known of churn: new customers leave sooner
than old ones, a contract holds them, unsolved calls to support drive them off, and
a high bill does so only where nothing holds them. Only the standard library is
used, whose generator gives the same numbers everywhere.
"""

import csv
import math
import random

from churn import CONTRACTS, FEATURES, PAYMENTS

CUSTOMERS = 4000
SEED = 20240311


def customer(draw):
    contract = draw.choices(CONTRACTS, weights=[55, 25, 20])[0]
    tenure = min(72, int(draw.expovariate(1 / 24)) + (12 if contract == "two-year" else 0))
    return {
        "tenure_months": tenure,
        "monthly_charge": round(draw.triangular(15, 120, 45), 2),
        "support_calls": min(9, int(draw.expovariate(1 / 1.3))),
        "data_gb": round(draw.lognormvariate(1.8, 0.8), 1),
        "contract": contract,
        "payment": draw.choices(PAYMENTS, weights=[40, 35, 25])[0],
    }


def probability(c):
    """How likely the customer leaves within the next quarter."""
    score = -1.6
    score += 1.6 * math.exp(-c["tenure_months"] / 10)
    score += 0.45 * c["support_calls"]
    score -= {"month-to-month": 0.0, "one-year": 1.5, "two-year": 2.6}[c["contract"]]
    score += {"card": 0.0, "bank-transfer": -0.2, "cash": 0.6}[c["payment"]]
    if c["contract"] == "month-to-month":
        score += 0.03 * (c["monthly_charge"] - 60)
    if c["data_gb"] < 2:
        score += 0.5
    return 1 / (1 + math.exp(-score))


def main():
    draw = random.Random(SEED)
    with open("data/churn.csv", "w", newline="", encoding="utf-8") as file:
        rows = csv.DictWriter(file, [*FEATURES, "churned"], lineterminator="\n")
        rows.writeheader()
        for _ in range(CUSTOMERS):
            c = customer(draw)
            rows.writerow({**c, "churned": int(draw.random() < probability(c))})


if __name__ == "__main__":
    main()
