package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	upiv1 "github.com/caraml-dev/universal-prediction-interface/gen/go/grpc/caraml/upi/v1"
	"github.com/spf13/cobra"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/caraml-dev/merlin-local/emulator/session"
)

// predict calls a model of the running session.
type predict struct {
	*location
	data    string
	timeout time.Duration
}

func newPredict(where *location) *cobra.Command {
	p := &predict{location: where}
	c := &cobra.Command{
		Use:   "predict [MODEL]",
		Short: "Send one prediction to the running model and print the answer",
		Long: `Send one prediction to the running model and print the answer.

The request is JSON: for HTTP_JSON as it is, for UPI_V1 a PredictValuesRequest. Without
-d it is the repo's ` + exampleName + `. The exit code is not 0 where the answer is an error.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error { return p.run(c, args) },
	}
	c.Flags().StringVarP(&p.data, "data", "d", "", "request: JSON, @FILE, or @- for standard input (default: "+exampleName+")")
	c.Flags().DurationVar(&p.timeout, "timeout", 5*time.Minute, "how long to wait for the answer")
	return c
}

func (p *predict) run(c *cobra.Command, args []string) error {
	s, err := p.session()
	if err != nil {
		return err
	}
	ctx, _, stop := interruptible(c.Context())
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, p.timeout)
	defer cancel()
	state, err := s.State(ctx)
	if err != nil {
		return notRunning(err)
	}
	model, err := pickRunning(state, args)
	if err != nil {
		return err
	}
	data, err := p.request(c.InOrStdin(), state.Dir)
	if err != nil {
		return err
	}
	if model.URLs.GRPC != "" {
		return predictUPI(ctx, c.OutOrStdout(), model, data)
	}
	return predictHTTP(ctx, c.OutOrStdout(), model, data)
}

func pickRunning(state *session.State, args []string) (*session.Model, error) {
	if len(args) == 0 && len(state.Models) == 1 {
		return state.Models[0], nil
	}
	if len(args) == 0 {
		return nil, usageError{errors.New("there are several models: name one")}
	}
	if m := state.Model(args[0]); m != nil {
		return m, nil
	}
	return nil, unknownModel(args[0], state)
}

func (p *predict) request(stdin io.Reader, repo string) ([]byte, error) {
	switch {
	case p.data == "":
		data, err := os.ReadFile(filepath.Join(repo, exampleName))
		if errors.Is(err, os.ErrNotExist) {
			return nil, usageError{fmt.Errorf("give the request with -d JSON or -d @FILE, or put one into %s", filepath.Join(repo, exampleName))}
		}
		return data, err
	case p.data == "@-":
		return io.ReadAll(stdin)
	case strings.HasPrefix(p.data, "@"):
		return os.ReadFile(p.data[1:])
	}
	return []byte(p.data), nil
}

func predictHTTP(ctx context.Context, w io.Writer, m *session.Model, data []byte) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, m.URLs.Predict, bytes.NewReader(data))
	if err != nil {
		return err
	}
	request.Host = m.URLs.Host
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return fmt.Errorf("read the answer: %w", err)
	}
	if !bytes.HasSuffix(body, []byte("\n")) {
		body = append(body, '\n')
	}
	if _, err := w.Write(body); err != nil {
		return err
	}
	if response.StatusCode >= http.StatusBadRequest {
		return fmt.Errorf("%s answered %s", m.ID, response.Status)
	}
	return nil
}

func predictUPI(ctx context.Context, w io.Writer, m *session.Model, data []byte) error {
	request := &upiv1.PredictValuesRequest{}
	if err := protojson.Unmarshal(data, request); err != nil {
		return usageError{fmt.Errorf("the request is no PredictValuesRequest: %w", err)}
	}
	client, err := grpc.NewClient("passthrough:///"+m.URLs.GRPC,
		grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithAuthority(m.URLs.Host))
	if err != nil {
		return err
	}
	defer client.Close()
	answer, err := upiv1.NewUniversalPredictionServiceClient(client).PredictValues(ctx, request)
	if err != nil {
		return fmt.Errorf("%s answered %w", m.ID, err)
	}
	text, err := protojson.Marshal(answer)
	if err != nil {
		return err
	}
	// protojson varies its spaces on purpose; a script wants the same text each time.
	return writeIndented(w, json.RawMessage(text))
}
