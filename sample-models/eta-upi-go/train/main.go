// Command train makes the data and the model; run it in the folder above.
//
//	go run ./train           model/eta.json from data/trips.csv
//	go run ./train -trips    data/trips.csv itself, from the law in trips.go
//
// Both always give the same.
package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"os"

	"example.com/eta-upi-go/eta"
)

const (
	dataFile  = "data/trips.csv"
	modelFile = "model/eta.json"
)

func main() {
	log.SetFlags(0)
	makeTrips := flag.Bool("trips", false, "make "+dataFile+" instead")
	flag.Parse()
	run := trainModel
	if *makeTrips {
		run = writeTrips
	}
	if err := run(); err != nil {
		log.Fatal(err)
	}
}

func writeTrips() error {
	if err := os.WriteFile(dataFile, format(simulate(tripCount, seed)), 0o644); err != nil {
		return fmt.Errorf("write the data: %w", err)
	}
	fmt.Printf("wrote %d trips to %s\n", tripCount, dataFile)
	return nil
}

func trainModel() error {
	trips, err := read(dataFile)
	if err != nil {
		return err
	}
	model := train(trips)
	data, err := encode(model)
	if err != nil {
		return fmt.Errorf("write the model: %w", err)
	}
	if err := os.WriteFile(modelFile, data, 0o644); err != nil {
		return fmt.Errorf("write the model: %w", err)
	}
	t := model.Trained
	fmt.Printf("trained on %d trips; off by %.2f minutes on average over %d held out\n",
		t.TrainingRows, t.MeanError, t.HeldOutRows)
	fmt.Printf("(%.2f by distance alone, %.2f by the law that made the data)\nwrote %s\n",
		t.MeanErrorByPace, t.MeanErrorOfNoise, modelFile)
	return nil
}

// train holds the last fifth out: the trips are in no order.
func train(trips []observed) *eta.Model {
	cut := len(trips) * 4 / 5
	learn, heldOut := trips[:cut], trips[cut:]
	model := boost(learn)
	model.Trained = eta.Performance{
		TrainingRows: len(learn), HeldOutRows: len(heldOut),
		MeanError:        meanError(heldOut, model.Minutes),
		MeanErrorByPace:  meanError(heldOut, straightLine(learn)),
		MeanErrorOfNoise: meanError(heldOut, law),
	}
	return model
}

// encode puts a tree on a line, so that the file can be read and compared.
func encode(model *eta.Model) ([]byte, error) {
	trained, err := json.Marshal(model.Trained)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	fmt.Fprintf(&out, "{\"trained\": %s,\n \"base\": %v,\n \"trees\": [", trained, model.Base)
	for i, tree := range model.Trees {
		line, err := json.Marshal(tree)
		if err != nil {
			return nil, err
		}
		if i > 0 {
			out.WriteByte(',')
		}
		out.WriteString("\n  ")
		out.Write(line)
	}
	out.WriteString("\n ]}\n")
	return out.Bytes(), nil
}
