// Command train makes model/iris.json from data/iris.csv: run it in the folder
// above, as `go run ./train`. The same data gives the same model.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"os"

	"example.com/iris-http-go/iris"
)

const (
	seed   = 1936 // decides which flowers are held out, and nothing else
	splits = 10
)

func main() {
	log.SetFlags(0)
	data := flag.String("data", "data/iris.csv", "the flowers to learn from")
	out := flag.String("out", "model/iris.json", "where the model goes")
	flag.Parse()
	model, err := train(*data)
	if err != nil {
		log.Fatal(err)
	}
	if err := save(*out, model); err != nil {
		log.Fatal(err)
	}
	t := model.Trained
	fmt.Printf("trained on %d flowers; of %d held out, %.1f %% are right, log loss %.3f\n",
		t.TrainingRows, t.HeldOutRows, 100*t.HeldOutAccuracy, t.HeldOutLogLoss)
	fmt.Printf("over %d such splits, %.1f %% are right\nwrote %s\n", t.Splits, 100*t.MeanAccuracy, *out)
}

// train holds a third of each species out, learns from the rest, and measures the
// model on what it has not seen.
func train(file string) (*iris.Model, error) {
	flowers, err := read(file)
	if err != nil {
		return nil, err
	}
	learn, heldOut := split(flowers, 3, seed)
	model := fit(learn)
	accuracy, loss := measure(model, heldOut)
	model.Trained = iris.Performance{
		TrainingRows: len(learn), HeldOutRows: len(heldOut),
		HeldOutAccuracy: accuracy, HeldOutLogLoss: loss, Seed: seed,
		MeanAccuracy: meanAccuracy(flowers), Splits: splits,
	}
	return model, nil
}

func meanAccuracy(flowers []flower) float64 {
	sum := 0.0
	for i := range uint64(splits) {
		learn, heldOut := split(flowers, 3, seed+i)
		accuracy, _ := measure(fit(learn), heldOut)
		sum += accuracy
	}
	return sum / splits
}

func save(file string, model *iris.Model) error {
	data, err := json.MarshalIndent(model, "", "  ")
	if err != nil {
		return fmt.Errorf("write the model: %w", err)
	}
	if err := os.WriteFile(file, append(data, '\n'), 0o644); err != nil {
		return fmt.Errorf("write the model: %w", err)
	}
	return nil
}
