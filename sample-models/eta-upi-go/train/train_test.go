package main

import (
	"bytes"
	"math"
	"os"
	"testing"

	"example.com/eta-upi-go/eta"
)

func TestTheCommittedTripsAreWhatTheLawGives(t *testing.T) {
	committed, err := read("../" + dataFile)
	if err != nil {
		t.Fatal(err)
	}
	again := simulate(tripCount, seed)
	if len(committed) != len(again) {
		t.Fatalf("%d trips, again %d", len(committed), len(again))
	}
	for i, c := range committed {
		a := again[i]
		same := c.HourOfDay == a.HourOfDay && c.IsWeekend == a.IsWeekend && c.Weather == a.Weather
		// Not every CPU rounds alike.
		if !same || math.Abs(c.DistanceKM-a.DistanceKM) > 0.011 || math.Abs(c.minutes-a.minutes) > 0.11 {
			t.Fatalf("trip %d is %+v, again %+v", i, c, a)
		}
	}
}

func TestTheCommittedModelIsWhatTrainingGives(t *testing.T) {
	committed, err := eta.Load("../" + modelFile)
	if err != nil {
		t.Fatal(err)
	}
	trips, err := read("../" + dataFile)
	if err != nil {
		t.Fatal(err)
	}
	again := train(trips)
	if len(committed.Trees) != len(again.Trees) {
		t.Fatalf("%d trees, again %d", len(committed.Trees), len(again.Trees))
	}
	if d := math.Abs(committed.Trained.MeanError - again.Trained.MeanError); d > 0.02 {
		t.Errorf("off by %v, again %v", committed.Trained.MeanError, again.Trained.MeanError)
	}
	apart := 0.0
	for _, trip := range trips {
		apart += math.Abs(committed.Minutes(trip.Trip)-again.Minutes(trip.Trip)) / float64(len(trips))
	}
	if apart > 0.02 {
		t.Errorf("the two are %v minutes apart on average", apart)
	}
}

func TestTheModelKnowsMoreThanTheDistance(t *testing.T) {
	model, err := eta.Load("../" + modelFile)
	if err != nil {
		t.Fatal(err)
	}
	p := model.Trained
	if p.MeanError > 0.6*p.MeanErrorByPace || p.MeanError < p.MeanErrorOfNoise {
		t.Errorf("off by %v; %v by distance alone, %v by the law", p.MeanError, p.MeanErrorByPace, p.MeanErrorOfNoise)
	}
	noon := eta.Trip{DistanceKM: 6, HourOfDay: 12, Weather: "clear"}
	rush, storm, sunday := noon, noon, noon
	rush.HourOfDay, storm.Weather = 18, "storm"
	if model.Minutes(rush) < 1.3*model.Minutes(noon) || model.Minutes(storm) < 1.2*model.Minutes(noon) {
		t.Errorf("noon %v, rush hour %v, storm %v", model.Minutes(noon), model.Minutes(rush), model.Minutes(storm))
	}
	sunday.HourOfDay, sunday.IsWeekend = 18, 1
	if model.Minutes(sunday) > 0.8*model.Minutes(rush) {
		t.Errorf("18:00 takes %v on a weekend, %v else", model.Minutes(sunday), model.Minutes(rush))
	}
}

func TestTheFileIsWhatTheModelEncodes(t *testing.T) {
	model, err := eta.Load("../" + modelFile)
	if err != nil {
		t.Fatal(err)
	}
	data, err := encode(model)
	if err != nil {
		t.Fatal(err)
	}
	file, err := os.ReadFile("../" + modelFile)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(data, file) {
		t.Error("they differ: the file was changed by hand, or its form in encode")
	}
}
