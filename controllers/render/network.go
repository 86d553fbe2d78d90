package render

import (
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"vipcloud.ai/vipcloud/api/v1alpha1"
)

// redisPort is where Sentinels and clusters say that their servers are, unless somebody moved them.
const redisPort = 6379

// Egress is a TCP port that the credentials of an instance need.
type Egress struct {
	Port int32
	// Private says that a host there may have a private address.
	Private bool
}

// networkPolicy lets in whom the instance says, and out what it needs: names, the API server, its credentials' endpoints and Redis.
// Nil where the instance asks for none. A policy knows addresses and no names, so what is outside is bounded by its ports.
func networkPolicy(in Input) *networkingv1.NetworkPolicy {
	spec := in.Instance.Spec.NetworkPolicy
	if spec == nil || spec.Enabled != nil && !*spec.Enabled {
		return nil
	}
	api := []networkingv1.NetworkPolicyPort{port(corev1.ProtocolTCP, ListenPort)}
	if in.Instance.Spec.TLS != nil {
		api = append(api, port(corev1.ProtocolTCP, TLSListenPort))
	}
	return &networkingv1.NetworkPolicy{
		TypeMeta:   metav1.TypeMeta{APIVersion: networkingv1.SchemeGroupVersion.String(), Kind: "NetworkPolicy"},
		ObjectMeta: ownedMeta(in.Instance, ""),
		Spec: networkingv1.NetworkPolicySpec{
			PodSelector: metav1.LabelSelector{MatchLabels: selector(in.Instance)},
			PolicyTypes: []networkingv1.PolicyType{networkingv1.PolicyTypeIngress, networkingv1.PolicyTypeEgress},
			Ingress: []networkingv1.NetworkPolicyIngressRule{
				{Ports: api, From: peers(spec.IngressFrom)},
				// Metrics and health, for whoever in the cluster looks at them. The kubelet may always.
				{Ports: []networkingv1.NetworkPolicyPort{port(corev1.ProtocolTCP, AdminPort)},
					From: []networkingv1.NetworkPolicyPeer{{NamespaceSelector: &metav1.LabelSelector{}}}},
			},
			Egress: egressRules(in, spec),
		},
	}
}

// egressRules are what the gateway may reach.
func egressRules(in Input, spec *v1alpha1.NetworkPolicy) []networkingv1.NetworkPolicyEgressRule {
	dns := []networkingv1.NetworkPolicyPort{
		port(corev1.ProtocolUDP, 53), port(corev1.ProtocolTCP, 53),
		port(corev1.ProtocolUDP, 5353), port(corev1.ProtocolTCP, 5353), // where OpenShift's pods listen
	}
	// 443 and 6443 are the API server's, whose address no policy can know; vendors' files are at 443, too.
	anywhere := []int32{443, 6443}
	for _, p := range spec.EgressPorts {
		anywhere = append(anywhere, int32(p))
	}
	anywhere = append(anywhere, redisPorts(in.Instance.Spec.Redis)...)
	if t := in.Instance.Spec.Tracing; t != nil {
		anywhere = append(anywhere, urlPort(string(t.Endpoint))...)
	}
	var public []int32
	for _, e := range in.Egress {
		if e.Private {
			anywhere = append(anywhere, e.Port)
		} else {
			public = append(public, e.Port)
		}
	}
	anywhere, public = sorted(anywhere), sorted(public)
	public = slices.DeleteFunc(public, func(p int32) bool { return slices.Contains(anywhere, p) })
	rules := []networkingv1.NetworkPolicyEgressRule{
		{Ports: dns},
		{Ports: tcp(anywhere), To: []networkingv1.NetworkPolicyPeer{
			block("0.0.0.0/0", "169.254.0.0/16"), block("::/0", "fe80::/10")}},
	}
	if len(public) > 0 {
		rules = append(rules, networkingv1.NetworkPolicyEgressRule{Ports: tcp(public), To: []networkingv1.NetworkPolicyPeer{
			block("0.0.0.0/0", "10.0.0.0/8", "100.64.0.0/10", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16"),
			block("::/0", "fc00::/7", "fe80::/10")}})
	}
	return rules
}

// redisPorts are those of a Redis.
func redisPorts(redis *v1alpha1.Redis) []int32 {
	if redis == nil {
		return nil
	}
	var ports []int32
	if redis.Mode == v1alpha1.RedisModeSentinel || redis.Mode == v1alpha1.RedisModeCluster {
		ports = append(ports, redisPort)
	}
	for _, address := range append(slices.Clone(redis.Addresses), redis.Address) {
		if _, text, err := net.SplitHostPort(string(address)); err == nil {
			if n, err := strconv.ParseUint(text, 10, 16); err == nil {
				ports = append(ports, int32(n))
			}
		}
	}
	return ports
}

// urlPort is the port of a URL, by its scheme where it names none; nothing of what is no URL.
func urlPort(address string) []int32 {
	if port, ok := PortOf(address); ok {
		return []int32{port}
	}
	return nil
}

// PortOf is the port of an http or https URL, by its scheme where it names none.
func PortOf(address string) (int32, bool) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return 0, false
	}
	if text := u.Port(); text != "" {
		n, err := strconv.ParseUint(text, 10, 16)
		return int32(n), err == nil && n > 0
	}
	known := map[string]int32{"http": 80, "https": 443}[u.Scheme]
	return known, known != 0
}

// sorted sorts and drops what comes twice.
func sorted(ports []int32) []int32 {
	slices.Sort(ports)
	return slices.Compact(ports)
}

// tcp are ports of a rule.
func tcp(ports []int32) []networkingv1.NetworkPolicyPort {
	out := make([]networkingv1.NetworkPolicyPort, 0, len(ports))
	for _, p := range ports {
		out = append(out, port(corev1.ProtocolTCP, p))
	}
	return out
}

// port is a port of a rule.
func port(protocol corev1.Protocol, number int32) networkingv1.NetworkPolicyPort {
	n := intstr.FromInt32(number)
	return networkingv1.NetworkPolicyPort{Protocol: &protocol, Port: &n}
}

// block is a range of addresses without some others.
func block(cidr string, except ...string) networkingv1.NetworkPolicyPeer {
	return networkingv1.NetworkPolicyPeer{IPBlock: &networkingv1.IPBlock{CIDR: cidr, Except: except}}
}

// peers are the admin's.
func peers(from []v1alpha1.NetworkPeer) []networkingv1.NetworkPolicyPeer {
	var out []networkingv1.NetworkPolicyPeer
	for _, p := range from {
		if p.CIDR == "" {
			out = append(out, networkingv1.NetworkPolicyPeer{NamespaceSelector: p.NamespaceSelector, PodSelector: p.PodSelector})
			continue
		}
		cidr := p.CIDR
		if prefix, err := netip.ParsePrefix(cidr); err == nil {
			cidr = prefix.Masked().String() // newer API servers warn about what is not
		}
		out = append(out, block(cidr))
	}
	return out
}
