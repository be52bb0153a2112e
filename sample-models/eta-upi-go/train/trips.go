package main

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"

	"example.com/eta-upi-go/eta"
)

// The trips are invented: no courier's data are free to give away. They follow law,
// with noise on top, and what makes them hard is in law, as it is in a city.
const (
	tripCount = 4000
	seed      = 20240617
	noise     = 0.12 // standard deviation of the logarithm
)

// observed is a trip and the minutes that it took.
type observed struct {
	eta.Trip
	minutes float64
}

// law is the median time of a trip: four minutes to find the parcel and the door,
// and the road at a speed that rush hour, weather, and both together take away.
func law(t eta.Trip) float64 {
	const kmh = 34
	rush := 0.50*bump(t.HourOfDay, 8, 1.3) + 0.55*bump(t.HourOfDay, 18, 1.7)
	if t.IsWeekend == 1 {
		rush = 0.20 * bump(t.HourOfDay, 14, 3)
	}
	wet := map[string]float64{"clear": 0, "rain": 0.15, "storm": 0.35}[t.Weather]
	speed := kmh * (1 - rush) * (1 - wet) * (1 - 0.3*rush*wet)
	return 4 + 60*t.DistanceKM/speed
}

// bump is 1 at its centre and falls off over width hours.
func bump(hour int64, centre, width float64) float64 {
	d := (float64(hour) - centre) / width
	return math.Exp(-d * d / 2)
}

func simulate(n int, seed uint64) []observed {
	random := rand.New(rand.NewPCG(seed, 0))
	trips := make([]observed, n)
	for i := range trips {
		t := eta.Trip{
			DistanceKM: round(min(25, max(0.3, 4*math.Exp(0.7*random.NormFloat64()))), 100),
			HourOfDay:  6 + random.Int64N(18), // nobody delivers at night
			Weather:    eta.Weathers[0],
		}
		if random.IntN(7) >= 5 {
			t.IsWeekend = 1
		}
		switch p := random.Float64(); {
		case p < 0.08:
			t.Weather = "storm"
		case p < 0.33:
			t.Weather = "rain"
		}
		trips[i] = observed{t, round(law(t)*math.Exp(noise*random.NormFloat64()), 10)}
	}
	return trips
}

func round(x, steps float64) float64 { return math.Round(x*steps) / steps }

var header = []string{"distance_km", "hour_of_day", "is_weekend", "weather", "minutes"}

func format(trips []observed) []byte {
	var out bytes.Buffer
	w := csv.NewWriter(&out)
	_ = w.Write(header) // a bytes.Buffer takes everything
	for _, t := range trips {
		_ = w.Write([]string{
			strconv.FormatFloat(t.DistanceKM, 'f', -1, 64), strconv.FormatInt(t.HourOfDay, 10),
			strconv.FormatInt(t.IsWeekend, 10), t.Weather, strconv.FormatFloat(t.minutes, 'f', -1, 64),
		})
	}
	w.Flush()
	return out.Bytes()
}

func read(file string) ([]observed, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read the data: %w", err)
	}
	rows, err := csv.NewReader(bytes.NewReader(data)).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("read the data: %w", err)
	}
	if len(rows) == 0 || !slices.Equal(rows[0], header) {
		return nil, fmt.Errorf("%s does not begin with the columns %v", file, header)
	}
	trips := make([]observed, len(rows)-1)
	for i, row := range rows[1:] {
		if trips[i], err = parse(row); err != nil {
			return nil, fmt.Errorf("%s:%d: %w", file, i+2, err)
		}
	}
	return trips, nil
}

func parse(row []string) (t observed, err error) {
	number := func(text string) float64 {
		x, e := strconv.ParseFloat(text, 64)
		if e != nil {
			err = e
		}
		return x
	}
	t.DistanceKM, t.Weather, t.minutes = number(row[0]), row[3], number(row[4])
	t.HourOfDay, t.IsWeekend = int64(number(row[1])), int64(number(row[2]))
	if err == nil && !slices.Contains(eta.Weathers, t.Weather) {
		err = fmt.Errorf("no such weather: %q", t.Weather)
	}
	return t, err
}
