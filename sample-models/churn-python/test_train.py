"""Run by `python -m unittest`: trains again, where scikit-learn is installed."""

import json
import unittest

import churn
from test_churn import CUSTOMER, HERE, installed


@unittest.skipUnless(installed("sklearn"), "scikit-learn is not installed")
class Train(unittest.TestCase):
    artifact = HERE / "model" / "churn.json"

    def setUp(self):
        if not self.artifact.exists():
            self.skipTest("the artifact is no part of the image")
        import train

        self.train = train
        self.pipeline, self.trained = train.train(HERE / "data" / "churn.csv")

    def test_the_artifact_is_what_training_gives(self):
        model = churn.load(self.artifact.parent)
        self.assertAlmostEqual(self.trained["held_out_auc"], model.trained["held_out_auc"], delta=0.002)
        self.assertGreater(self.trained["held_out_auc"], 0.8)
        customers = self.train.read(HERE / "data" / "churn.csv")[:200]
        again = self.pipeline.predict_proba([churn.encode(c) for c in customers])[:, 1]
        for old, new in zip(model.probabilities(customers), again):
            self.assertAlmostEqual(old, new, delta=0.005)

    def test_what_is_dumped_predicts_the_same_when_loaded(self):
        model = churn.Model(json.loads(churn.dump(self.pipeline, self.trained)))
        want = self.pipeline.predict_proba([churn.encode(CUSTOMER)])[0, 1]
        self.assertAlmostEqual(model.probabilities([CUSTOMER])[0], want, places=12)


if __name__ == "__main__":
    unittest.main()
