package kling

import (
	"context"
	"net/http"
	"time"

	"vipcloud.ai/vipcloud/gateway/provider"
)

// The values of ProviderCredential.spec.protocol. An empty one stands for the first.
const (
	protocolNew    = "New"
	protocolLegacy = "Legacy"
)

// Adapter returns the adapter of Kling.
func Adapter() provider.Adapter {
	return provider.Adapter{
		Info: provider.Info{
			Name: "Kling",
			Regions: []provider.Region{
				{Name: "cn", Endpoint: "https://api-beijing.klingai.com"},
				{Name: "intl", Endpoint: "https://api-singapore.klingai.com"},
			},
			Entries:    [][]string{{keyEntry}, {accessEntry, secretEntry}},
			Protocols:  []string{protocolNew, protocolLegacy},
			Modalities: []provider.Modality{provider.ModalityVideo},
		},
		Video: videos{},
	}
}

// videos makes videos. It has no state.
type videos struct{}

var _ provider.Video = videos{}

// order is what a request becomes in one generation of the API.
type order struct {
	path string
	// kind is what polls need to know of a legacy task, empty for a task of the new API.
	kind string
	body provider.Body
	// billing reads what the body costs, once the admin has had the last word.
	billing func(provider.Body) provider.Billing
}

// SubmitVideo implements provider.Video. What is billed is always said explicitly: duration, resolution and sound. The client's ID
// goes along, which the vendor takes but once.
func (videos) SubmitVideo(ctx context.Context, up *provider.Upstream, in *provider.VideoRequest) (*provider.Submission, error) {
	m := modelOf(up)
	if err := m.check(in); err != nil {
		return nil, err
	}
	place := currentOrder
	if m.legacy {
		place = legacyOrder
	}
	o, err := place(&m, in)
	if err != nil {
		return nil, err
	}
	up.Parameters.Override(o.body)
	req, err := newCall(ctx, http.MethodPost, o.path, up, o.body, m.legacy, in.Now)
	if err != nil {
		return nil, err
	}
	return &provider.Submission{
		Step:    &provider.Step[provider.Task]{Request: req, Paid: true, Read: taskReader(o.kind)},
		Billing: o.billing(o.body),
	}, nil
}

// taskReader reads the answer to a submission.
func taskReader(kind string) func(*provider.Response) (provider.Task, *provider.Step[provider.Task], error) {
	member := "id"
	if kind != "" {
		member = "task_id"
	}
	return func(r *provider.Response) (provider.Task, *provider.Step[provider.Task], error) {
		data, err := readData(r)
		if err != nil {
			return provider.Task{}, nil, err
		}
		id := identifier(data.Get(member))
		if id == "" {
			return provider.Task{}, nil, provider.BadResponse(r.Status, "no_task_id", "The answer has no id of a task.")
		}
		return provider.Task{ID: id, State: kind}, nil, nil
	}
}

// Cancel implements provider.Tasks: neither generation can.
func (videos) Cancel(context.Context, *provider.Upstream, provider.Task, time.Time) (*provider.Step[provider.TaskState], error) {
	return nil, nil
}
