package redistest

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"
)

// clusterSize is how many servers a cluster of a test has, and slots how many slots a cluster has.
const (
	clusterSize = 3
	slots       = 16384
)

// StartCluster runs a Redis Cluster of three servers without replicas until the test ends.
func StartCluster(tb testing.TB) []*Server {
	tb.Helper()
	var servers []*Server
	for range clusterSize {
		servers = append(servers, Start(tb, "--cluster-enabled", "yes", "--cluster-config-file", "nodes.conf"))
	}
	for i, s := range servers {
		c := s.Client()
		if err := c.ClusterAddSlotsRange(tb.Context(), i*slots/clusterSize, (i+1)*slots/clusterSize-1).Err(); err != nil {
			tb.Fatal(err)
		}
		if err := c.ClusterMeet(tb.Context(), "127.0.0.1", strconv.Itoa(servers[0].Port)).Err(); err != nil {
			tb.Fatal(err)
		}
	}
	for _, s := range servers {
		c := s.Client()
		Eventually(tb, "the cluster to be whole", func() bool {
			info, err := c.ClusterInfo(tb.Context()).Result()
			nodes, _ := c.ClusterNodes(tb.Context()).Result()
			return err == nil && strings.Contains(info, "cluster_state:ok") && strings.Count(nodes, "connected") == clusterSize
		})
	}
	return servers
}

// MasterName is what the Sentinel of a test calls the primary.
const MasterName = "limits"

// Guarded is a primary with a replica, and a Sentinel that looks after them.
type Guarded struct {
	Primary, Replica, Sentinel *Server
}

// StartGuarded runs a primary, a replica and a Sentinel until the test ends.
func StartGuarded(tb testing.TB) *Guarded {
	tb.Helper()
	g := &Guarded{Primary: Start(tb)}
	g.Replica = Start(tb, "--replicaof", "127.0.0.1", strconv.Itoa(g.Primary.Port))
	g.Sentinel = &Server{t: tb, dir: tb.TempDir(), Port: FreePort(tb)}
	config := fmt.Sprintf("port %d\nbind 127.0.0.1\ndir %s\nsentinel monitor %s 127.0.0.1 %d 1\nsentinel down-after-milliseconds %[3]s 1000\n"+
		"sentinel failover-timeout %[3]s 5000\n", g.Sentinel.Port, g.Sentinel.dir, MasterName, g.Primary.Port)
	path := filepath.Join(g.Sentinel.dir, "sentinel.conf")
	if err := os.WriteFile(path, []byte(config), 0o600); err != nil {
		tb.Fatal(err)
	}
	g.Sentinel.start(path, "--sentinel")
	tb.Cleanup(g.Sentinel.Kill)
	g.Sentinel.await()
	sentinel := redis.NewSentinelClient(&redis.Options{Addr: g.Sentinel.Address()})
	tb.Cleanup(func() { _ = sentinel.Close() })
	Eventually(tb, "the Sentinel to know the replica", func() bool {
		replicas, err := sentinel.Replicas(tb.Context(), MasterName).Result()
		return err == nil && len(replicas) == 1 && replicas[0]["master-link-status"] == "ok"
	})
	return g
}

// FailOver kills the primary, and waits until the replica has taken its place.
func (g *Guarded) FailOver() {
	g.Primary.t.Helper()
	g.Primary.Kill()
	c := g.Replica.Client()
	Eventually(g.Primary.t, "the replica to become the primary", func() bool {
		info, err := c.Info(g.Primary.t.Context(), "replication").Result()
		return err == nil && strings.Contains(info, "role:master")
	})
}
