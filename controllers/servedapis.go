package controllers

import (
	"fmt"
	"slices"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/discovery"
	"k8s.io/utils/clock"
)

const (
	// servedFresh is how long an answer about what the API server serves is believed.
	servedFresh = 10 * time.Second
	// servedAgain is when to ask again for what was missing: nothing tells of its arrival.
	servedAgain = 30 * time.Second
)

// servedAPIs tells which APIs beside Kubernetes' own the API server serves. It is safe for concurrent use.
type servedAPIs struct {
	client discovery.DiscoveryInterface
	clock  clock.PassiveClock

	mu        sync.Mutex
	at        time.Time
	groups    []string
	resources map[string]resourceAnswer
}

// resourceAnswer is whether a resource was served at a time.
type resourceAnswer struct {
	at     time.Time
	served bool
}

// newServedAPIs makes one that has asked nothing yet.
func newServedAPIs(client discovery.DiscoveryInterface, c clock.PassiveClock) *servedAPIs {
	return &servedAPIs{client: client, clock: c, resources: map[string]resourceAnswer{}}
}

// group says whether an API group is served, in whichever version.
func (s *servedAPIs) group(name string) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if now := s.clock.Now(); s.at.IsZero() || now.Sub(s.at) >= servedFresh {
		list, err := s.client.ServerGroups()
		if err != nil {
			return false, fmt.Errorf("asking which APIs are served: %w", err)
		}
		s.at, s.groups = now, nil
		for i := range list.Groups {
			s.groups = append(s.groups, list.Groups[i].Name)
		}
	}
	return slices.Contains(s.groups, name), nil
}

// resource says whether a resource of a group and version is served.
func (s *servedAPIs) resource(groupVersion, name string) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	key, now := groupVersion+"/"+name, s.clock.Now()
	if known, ok := s.resources[key]; ok && now.Sub(known.at) < servedFresh {
		return known.served, nil
	}
	list, err := s.client.ServerResourcesForGroupVersion(groupVersion)
	if err != nil && !apierrors.IsNotFound(err) {
		return false, fmt.Errorf("asking what %s serves: %w", groupVersion, err)
	}
	served := err == nil && slices.ContainsFunc(list.APIResources, func(r metav1.APIResource) bool { return r.Name == name })
	s.resources[key] = resourceAnswer{at: now, served: served}
	return served, nil
}
