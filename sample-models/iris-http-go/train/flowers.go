package main

import (
	"encoding/csv"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"

	"example.com/iris-http-go/iris"
)

// flower is a row of the data: the measures and the species.
type flower struct {
	measures iris.Flower
	species  string
}

func read(file string) ([]flower, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("read the data: %w", err)
	}
	defer f.Close() //nolint:errcheck // it was only read
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("read the data: %w", err)
	}
	header := append(slices.Clone(iris.Features[:]), "species")
	if len(rows) == 0 || !slices.Equal(rows[0], header) {
		return nil, fmt.Errorf("%s does not begin with the columns %v", file, header)
	}
	var flowers []flower
	for i, row := range rows[1:] {
		one := flower{species: row[len(row)-1]}
		for j := range one.measures {
			if one.measures[j], err = strconv.ParseFloat(row[j], 64); err != nil {
				return nil, fmt.Errorf("%s:%d: %w", file, i+2, err)
			}
		}
		flowers = append(flowers, one)
	}
	return flowers, nil
}

// split holds one in n of every species out, chosen by the seed, so that both
// parts have the species in equal shares.
func split(flowers []flower, n int, seed uint64) (learn, heldOut []flower) {
	random := rand.New(rand.NewPCG(seed, 0))
	for _, species := range speciesOf(flowers) {
		var same []flower
		for _, f := range flowers {
			if f.species == species {
				same = append(same, f)
			}
		}
		random.Shuffle(len(same), func(i, j int) { same[i], same[j] = same[j], same[i] })
		heldOut = append(heldOut, same[:len(same)/n]...)
		learn = append(learn, same[len(same)/n:]...)
	}
	return learn, heldOut
}

// speciesOf returns each species once, sorted.
func speciesOf(flowers []flower) []string {
	var all []string
	for _, f := range flowers {
		all = append(all, f.species)
	}
	slices.Sort(all)
	return slices.Compact(all)
}
