"""Run by `python -m unittest`, in the image too. What needs scikit-learn or FastAPI
is skipped where they are missing."""

import importlib.util
import json
import pathlib
import unittest

import churn

HERE = pathlib.Path(__file__).parent
CUSTOMER = {"tenure_months": 2, "monthly_charge": 80, "support_calls": 4, "data_gb": 3.5,
            "contract": "month-to-month", "payment": "cash"}


def installed(*names):
    return all(importlib.util.find_spec(name) for name in names)


def body(**changes):
    return json.dumps({"instances": [{**CUSTOMER, **changes}]})


class Parse(unittest.TestCase):
    def test_a_customer_is_returned_as_sent(self):
        self.assertEqual(churn.parse(body()), [CUSTOMER])
        self.assertEqual(churn.parse(body().encode()), [CUSTOMER])

    def test_a_wrong_body_is_refused_with_what_is_expected(self):
        without = {k: v for k, v in CUSTOMER.items() if k != "payment"}
        for sent, says in [
            ("", "is not JSON"),
            (b"\xff\xfe\xff", "is not JSON"),
            ("[" * 100000, "is not JSON"),
            ("[]", 'must be {"instances"'),
            ('{"instances": []}', "at least one instance"),
            ('{"instances": {}}', "at least one instance"),
            ('{"instances": [7]}', "instances[0] must be an object with tenure_months"),
            (json.dumps({"instances": [without]}), "instances[0] has no payment"),
            (body(age=40), "instances[0] has age; only tenure_months"),
            (body(contract="weekly"), 'instances[0].contract is "weekly"; it must be one of month-to-month'),
            (body(contract=["one-year"]), "must be one of"),
            (body(tenure_months="2"), 'instances[0].tenure_months is "2"; it must be a number from 0 to 1200'),
            (body(tenure_months=-1), "must be a number from 0 to 1200"),
            (body(support_calls=True), "must be a number"),
            (body(data_gb=float("nan")), "data_gb is NaN; it must be a number"),
            (body(data_gb=None), "data_gb is null; it must be a number"),
            (json.dumps({"instances": [CUSTOMER] * (churn.MAX_INSTANCES + 1)}), "1001 instances are too many"),
        ]:
            with self.subTest(says=says, sent=str(sent)[:60]):
                with self.assertRaises(churn.BadRequest) as caught:
                    churn.parse(sent)
                self.assertIn(says, str(caught.exception))


class Encode(unittest.TestCase):
    def test_words_become_one_column_each(self):
        row = churn.encode(CUSTOMER)
        self.assertEqual(len(row), 4 + len(churn.CONTRACTS) + len(churn.PAYMENTS))
        self.assertEqual(row[4:], [1.0, 0.0, 0.0, 0.0, 0.0, 1.0])


@unittest.skipUnless(installed("sklearn"), "scikit-learn is not installed")
class Model(unittest.TestCase):
    artifact = HERE / "model" / "churn.json"

    def setUp(self):
        if not self.artifact.exists():
            self.skipTest("the artifact is no part of the image")

    def test_who_is_held_by_nothing_leaves_sooner(self):
        model = churn.load(self.artifact.parent)
        loyal = {**CUSTOMER, "tenure_months": 60, "support_calls": 0, "contract": "two-year", "payment": "card"}
        leaving, staying = model.probabilities([CUSTOMER, loyal])
        self.assertGreater(leaving, 0.8)
        self.assertLess(staying, 0.05)

    def test_an_artifact_that_does_not_fit_together_is_refused(self):
        artifact = json.loads(self.artifact.read_text())
        artifact["scaler"]["mean"].pop()
        with self.assertRaisesRegex(ValueError, "do not fit together"):
            churn.Model(artifact)


@unittest.skipUnless(installed("fastapi", "prometheus_client"), "FastAPI is not installed")
class App(unittest.TestCase):
    """Calls the service as a server would, without one."""

    class Certain:
        def probabilities(self, customers):
            return [0.9 for _ in customers]

    def call(self, model, method, path, *chunks):
        import asyncio

        import app

        sent, waiting = [], [{"type": "http.request", "body": c, "more_body": i + 1 < len(chunks)}
                             for i, c in enumerate(chunks)] or [{"type": "http.request", "body": b""}]

        async def receive():
            return waiting.pop(0) if waiting else {"type": "http.disconnect"}

        async def send(message):
            sent.append(message)

        scope = {"type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method,
                 "path": path, "raw_path": path.encode(), "root_path": "", "scheme": "http",
                 "query_string": b"", "headers": [], "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 8080)}
        asyncio.run(app.create_app("churn-1", model)(scope, receive, send))
        return sent[0]["status"], b"".join(m.get("body", b"") for m in sent).decode()

    def test_it_is_alive_but_not_ready_without_a_model(self):
        for method, path, status in [("GET", "/", 200), ("GET", "/v1/models/churn-1", 503),
                                     ("POST", "/v1/models/churn-1:predict", 503)]:
            self.assertEqual(self.call(None, method, path, b"{}")[0], status, path)

    def test_only_the_paths_of_the_contract_are_served(self):
        for method, path, status in [("GET", "/", 200), ("GET", "/v1/models/churn-1", 200), ("GET", "/metrics", 200),
                                     ("GET", "/v1/models/churn-1:predict", 405), ("GET", "/v1/models/churn-2", 404),
                                     ("POST", "/v1/models/churn:predict", 404)]:
            code, answer = self.call(self.Certain(), method, path)
            self.assertEqual(code, status, path)
            if code >= 400:
                self.assertIn("error", json.loads(answer))

    def test_a_prediction_is_answered(self):
        code, answer = self.call(self.Certain(), "POST", "/v1/models/churn-1:predict", body().encode())
        self.assertEqual((code, json.loads(answer)), (200, {"predictions": [{"churn": True, "probability": 0.9}]}))
        self.assertIn('churn_predictions_total{churn="yes"}', self.call(None, "GET", "/metrics")[1])

    def test_a_wrong_or_too_large_body_is_refused(self):
        code, answer = self.call(self.Certain(), "POST", "/v1/models/churn-1:predict", b"{}")
        self.assertEqual(code, 400)
        self.assertIn("tenure_months", json.loads(answer)["error"])
        half = b" " * (600 << 10)
        code, answer = self.call(self.Certain(), "POST", "/v1/models/churn-1:predict", half, half, b"{}")
        self.assertEqual((code, json.loads(answer)), (413, {"error": "the body is larger than 1048576 bytes"}))


if __name__ == "__main__":
    unittest.main()
