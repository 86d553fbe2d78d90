package report

import (
	"encoding/json"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"vipcloud.ai/vipcloud/api/v1alpha1"
)

// redisCondition is what the last write of status says of Redis; nil for nothing.
func (w *timing) redisCondition() *metav1.Condition {
	w.t.Helper()
	writes := w.server.writes()
	raw, err := json.Marshal(writes[len(writes)-1].body["status"])
	if err != nil {
		w.t.Fatal(err)
	}
	var status v1alpha1.GatewayReplicaStatus
	if err := json.Unmarshal(raw, &status); err != nil {
		w.t.Fatal(err)
	}
	for i := range status.Conditions {
		if status.Conditions[i].Type == v1alpha1.ConditionRedisAvailable {
			return &status.Conditions[i]
		}
	}
	return nil
}

func TestReplica_redis(t *testing.T) {
	w := newTiming(t, false)
	if c := w.redisCondition(); c != nil {
		t.Fatalf("without a Redis it says %+v", c)
	}
	for i, step := range []struct {
		say  Redis
		want string
	}{
		{Redis{Configured: true, Known: true}, "True/RedisConnected"},
		{Redis{Configured: true, Known: true, Away: "connection refused"}, "False/RedisUnreachable"},
		{Redis{Configured: true, Known: true}, "True/RedisConnected"},
		{Redis{}, ""},
	} {
		w.step(2 * time.Second)
		w.replica.SetRedis(step.say)
		w.idle(i + 2)
		got := ""
		c := w.redisCondition()
		if c != nil {
			got = string(c.Status) + "/" + c.Reason
			if !c.LastTransitionTime.Time.Equal(w.clock.Now().Truncate(time.Second)) {
				t.Errorf("step %d: transition at %s, now %s", i, c.LastTransitionTime, w.clock.Now())
			}
		}
		if got != step.want {
			t.Errorf("step %d: %q, want %q", i, got, step.want)
		}
	}
}
