package main

import (
	"math"
	"slices"
	"testing"

	"example.com/iris-http-go/iris"
)

func TestTheCommittedModelIsWhatTrainingGives(t *testing.T) {
	committed, err := iris.Load("../model/iris.json")
	if err != nil {
		t.Fatal(err)
	}
	again, err := train("../data/iris.csv")
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(committed.Classes, again.Classes) {
		t.Fatalf("classes %v, again %v", committed.Classes, again.Classes)
	}
	// Not every CPU rounds alike.
	near := func(what string, a, b float64) {
		t.Helper()
		if math.Abs(a-b) > 1e-6 {
			t.Errorf("%s is %v; training gives %v", what, a, b)
		}
	}
	near("accuracy", committed.Trained.HeldOutAccuracy, again.Trained.HeldOutAccuracy)
	near("mean accuracy", committed.Trained.MeanAccuracy, again.Trained.MeanAccuracy)
	near("log loss", committed.Trained.HeldOutLogLoss, again.Trained.HeldOutLogLoss)
	for c, class := range committed.Classes {
		near("bias of "+class, committed.Bias[c], again.Bias[c])
		for i, feature := range iris.Features {
			near(class+" by "+feature, committed.Weights[c][i], again.Weights[c][i])
		}
	}
}

func TestTheModelIsRightOnFlowersItHasNotSeen(t *testing.T) {
	model, err := train("../data/iris.csv")
	if err != nil {
		t.Fatal(err)
	}
	if model.Trained.HeldOutRows != 48 || model.Trained.TrainingRows != 102 {
		t.Errorf("trained on %d, held out %d", model.Trained.TrainingRows, model.Trained.HeldOutRows)
	}
	if model.Trained.HeldOutAccuracy < 0.93 {
		t.Errorf("accuracy is %v on held-out flowers", model.Trained.HeldOutAccuracy)
	}
	if model.Trained.MeanAccuracy < 0.94 {
		t.Errorf("mean accuracy is %v", model.Trained.MeanAccuracy)
	}
}

func TestNoFlowerIsBothLearntAndHeldOut(t *testing.T) {
	flowers, err := read("../data/iris.csv")
	if err != nil {
		t.Fatal(err)
	}
	for i := range flowers {
		flowers[i].measures[0] = float64(i) // two real flowers measure the same
	}
	learn, heldOut := split(flowers, 3, seed)
	if len(flowers) != 150 || len(learn)+len(heldOut) != len(flowers) {
		t.Fatalf("%d flowers, %d learnt, %d held out", len(flowers), len(learn), len(heldOut))
	}
	for _, f := range heldOut {
		if slices.Contains(learn, f) {
			t.Errorf("%v is in both", f)
		}
	}
	for _, species := range speciesOf(flowers) {
		n := 0
		for _, f := range heldOut {
			if f.species == species {
				n++
			}
		}
		if n != 16 {
			t.Errorf("%d of %s are held out", n, species)
		}
	}
}
