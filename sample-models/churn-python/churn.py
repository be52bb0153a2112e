"""The model: customers in, how likely each is to leave out. No web framework here.

The artifact is JSON, not a pickle: a pickle of scikit-learn's loads only with the
release that wrote it, and runs whatever it holds. What a fitted StandardScaler and
LogisticRegression know is a few lists of numbers in documented attributes, so load()
puts these back and predicts with scikit-learn, whichever release is installed.
"""

import json
import math
import os

CONTRACTS = ["month-to-month", "one-year", "two-year"]
PAYMENTS = ["card", "bank-transfer", "cash"]

# Each feature with the values that it may have: two bounds, or words.
FEATURES = {
    "tenure_months": (0, 1200),
    "monthly_charge": (0, 10000),
    "support_calls": (0, 1000),
    "data_gb": (0, 100000),
    "contract": CONTRACTS,
    "payment": PAYMENTS,
}

MAX_INSTANCES = 1000


class BadRequest(ValueError):
    """What the client sent is wrong; the message says what is expected."""


def parse(body):
    """Returns the customers in a request's body, or raises BadRequest."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise BadRequest(f"the body is not JSON: {error}") from None
    instances = document.get("instances") if isinstance(document, dict) else None
    if not isinstance(instances, list) or not instances:
        raise BadRequest('the body must be {"instances": [{...}, ...]} with at least one instance; '
                         f"an instance has {', '.join(FEATURES)}")
    if len(instances) > MAX_INSTANCES:
        raise BadRequest(f"{len(instances)} instances are too many; send at most {MAX_INSTANCES} at once")
    for i, customer in enumerate(instances):
        check(customer, f"instances[{i}]")
    return instances


def check(customer, where):
    """Raises BadRequest unless the customer has every feature, and none beside."""
    if not isinstance(customer, dict):
        raise BadRequest(f"{where} must be an object with {', '.join(FEATURES)}")
    missing = [name for name in FEATURES if name not in customer]
    if missing:
        raise BadRequest(f"{where} has no {', '.join(missing)}")
    unknown = sorted(set(customer) - set(FEATURES))
    if unknown:
        raise BadRequest(f"{where} has {', '.join(unknown)}; only {', '.join(FEATURES)} are known")
    for name, allowed in FEATURES.items():
        check_value(customer[name], allowed, f"{where}.{name}")


def check_value(value, allowed, where):
    if isinstance(allowed, list):
        if value not in allowed:
            raise BadRequest(f"{where} is {json.dumps(value)}; it must be one of {', '.join(allowed)}")
        return
    low, high = allowed
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not number or not low <= value <= high:  # NaN is in no range
        raise BadRequest(f"{where} is {json.dumps(value)}; it must be a number from {low} to {high}")


def encode(customer):
    """The customer as the numbers that the model was trained on."""
    return [
        # The first months weigh most, and the hundredth gigabyte least.
        math.log1p(customer["tenure_months"]),
        customer["monthly_charge"],
        customer["support_calls"],
        math.log1p(customer["data_gb"]),
        *(float(customer["contract"] == word) for word in CONTRACTS),
        *(float(customer["payment"] == word) for word in PAYMENTS),
    ]


def dump(pipeline, trained):
    """The artifact of a fitted pipeline, as text; trained says how it was trained."""
    scaler, regression = pipeline[0], pipeline[1]
    return json.dumps({
        "trained": trained,
        "scaler": {"mean": scaler.mean_.tolist(), "scale": scaler.scale_.tolist()},
        "regression": {
            "coefficients": regression.coef_[0].tolist(),
            "intercept": float(regression.intercept_[0]),
        },
    }, indent=2) + "\n"


class Model:
    """A loaded artifact. It does not change, so any number of threads may ask it."""

    def __init__(self, artifact):
        # Here, so that parsing can be tested where scikit-learn is not installed.
        import numpy as np
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        mean, scale = artifact["scaler"]["mean"], artifact["scaler"]["scale"]
        coefficients = artifact["regression"]["coefficients"]
        if not len(mean) == len(scale) == len(coefficients):
            raise ValueError(f"{len(mean)} means, {len(scale)} scales and {len(coefficients)} coefficients do not fit together")

        scaler = StandardScaler()
        scaler.mean_, scaler.scale_ = np.array(mean), np.array(scale)
        scaler.var_ = scaler.scale_ ** 2
        scaler.n_features_in_ = len(mean)

        regression = LogisticRegression()
        regression.coef_ = np.array([coefficients])
        regression.intercept_ = np.array([artifact["regression"]["intercept"]])
        regression.classes_ = np.array([0, 1])
        regression.n_features_in_ = len(coefficients)

        self.trained = artifact["trained"]
        self.pipeline = make_pipeline(scaler, regression)

    def probabilities(self, customers):
        """How likely each customer is to leave, from 0 to 1."""
        return self.pipeline.predict_proba([encode(c) for c in customers])[:, 1].tolist()


def load(folder):
    """Reads churn.json in the folder."""
    with open(os.path.join(folder, "churn.json"), encoding="utf-8") as file:
        return Model(json.load(file))
