#!/usr/bin/env bash
# Starts a cluster of one node: control plane, containerd, kubelet, kube-proxy and CoreDNS, all inside mount, pid, network, cgroup,
# uts and ipc namespaces of their own. Needs root. This machine's own mounts, sysctls, firewall rules and cgroups are left alone;
# it gets one veth pair and two routes, by which it reaches the API server, pods and Services.
# Ends when the node is Ready, and prints the path of the admin's kubeconfig. NODE_KEEP=1 keeps the last cluster's state.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/env.sh"
why=$("$here/check.sh") || { echo "node/up.sh: $why" >&2; exit 1; }
NODE_PATH=$("$here/build.sh")
t0=$(date +%s.%N)
say() { awk -v a="$t0" -v b="$(date +%s.%N)" -v m="$*" 'BEGIN { printf "node: %5.1f s  %s\n", b - a, m }' >&2; }
if [ -e "$NODE_STATE/up.pid" ] && kill -0 "$(cat "$NODE_STATE/up.pid")" 2>/dev/null; then
  echo "node/up.sh: already up (pid $(cat "$NODE_STATE/up.pid")); run down.sh first" >&2; exit 1
fi
[ "${NODE_KEEP:-}" ] || rm -rf "$NODE_STATE"
mkdir -p "$NODE_STATE"/{pki,log,etc/cni,var/lib,var/log,var/tmp}
ln -sfn /run "$NODE_STATE/var/run"
S=$NODE_STATE P=$NODE_STATE/pki

# --- keys, certificates, tokens, kubeconfigs --------------------------------
if [ ! -e "$P/ca.crt" ]; then
  key() { openssl ecparam -name prime256v1 -genkey -noout -out "$P/$1.key" 2>/dev/null; }
  key ca; openssl req -x509 -new -key "$P/ca.key" -days 30 -subj /CN=vipcloud-e2e-ca -out "$P/ca.crt" \
    -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign 2>/dev/null
  sign() { # name subject usage san
    key "$1"
    openssl req -new -key "$P/$1.key" -subj "$2" -out "$P/$1.csr" 2>/dev/null
    printf 'extendedKeyUsage=%s\nkeyUsage=critical,digitalSignature\n%s' "$3" "${4:+subjectAltName=$4}" > "$P/$1.ext"
    openssl x509 -req -in "$P/$1.csr" -CA "$P/ca.crt" -CAkey "$P/ca.key" -CAcreateserial -days 30 -extfile "$P/$1.ext" -out "$P/$1.crt" 2>/dev/null
  }
  sign apiserver /CN=kube-apiserver serverAuth "DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc,DNS:localhost,IP:$NODE_SERVICE_IP,IP:$NODE_IP,IP:127.0.0.1"
  sign kubelet "/CN=$NODE_NAME" serverAuth "DNS:$NODE_NAME,IP:$NODE_IP"
  sign kubelet-client /O=system:masters/CN=kube-apiserver-kubelet-client clientAuth
  sign front-proxy-client /CN=front-proxy-client clientAuth
  openssl genrsa -out "$P/sa.key" 2048 2>/dev/null
  openssl rsa -in "$P/sa.key" -pubout -out "$P/sa.pub" 2>/dev/null
  tok() { openssl rand -hex 16; }
  : > "$P/tokens.csv"
  for u in "admin,system:masters" "system:kube-controller-manager," "system:kube-scheduler," "system:kube-proxy," "system:coredns," "system:node:$NODE_NAME,system:nodes"; do
    t=$(tok); n=${u%%,*}; g=${u#*,}; f=${n//:/-}; f=${f#system-}; case $f in node-*) f=kubelet;; esac
    echo "$t,$n,$n${g:+,\"$g\"}" >> "$P/tokens.csv"
    cat > "$S/$f.kubeconfig" <<K
apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: "https://$NODE_IP:$NODE_API_PORT", certificate-authority: $P/ca.crt}}]
users: [{name: u, user: {token: $t}}]
contexts: [{name: x, context: {cluster: c, user: u}}]
current-context: x
K
  done
fi

# --- configuration files ----------------------------------------------------
cat > "$S/etc/containerd.toml" <<K
version = 3
root = "/var/lib/containerd"
state = "/run/containerd"
disabled_plugins = ["io.containerd.nri.v1.nri", "io.containerd.snapshotter.v1.blockfile", "io.containerd.snapshotter.v1.erofs", "io.containerd.tracing.processor.v1.otlp"]
[grpc]
  address = "/run/containerd/containerd.sock"
[plugins.'io.containerd.cri.v1.images']
  snapshotter = "overlayfs"
[plugins.'io.containerd.cri.v1.images'.pinned_images]
  sandbox = "$NODE_PAUSE"
[plugins.'io.containerd.cri.v1.runtime']
  restrict_oom_score_adj = true
  disable_apparmor = true
[plugins.'io.containerd.cri.v1.runtime'.cni]
  bin_dirs = ["$NODE_CNI"]
  conf_dir = "$S/etc/cni"
[plugins.'io.containerd.cri.v1.runtime'.containerd]
  default_runtime_name = "runc"
[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"
[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc.options]
  SystemdCgroup = false
K
cat > "$S/etc/cni/10-bridge.conflist" <<K
{"cniVersion": "1.0.0", "name": "bridge", "plugins": [
  {"type": "bridge", "bridge": "cni0", "isGateway": true, "ipMasq": false, "hairpinMode": true,
   "ipam": {"type": "host-local", "ranges": [[{"subnet": "$NODE_POD_CIDR"}]], "routes": [{"dst": "0.0.0.0/0"}], "dataDir": "/run/cni-ipam"}}
]}
K
cat > "$S/etc/Corefile" <<K
.:53 {
  bind $NODE_IP
  errors
  ready 127.0.0.1:8181
  cache 5
  kubernetes cluster.local in-addr.arpa {
    kubeconfig $S/coredns.kubeconfig
    ttl 5
  }
}
K
cat > "$S/etc/kubelet.yaml" <<K
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
failCgroupV1: false
cgroupDriver: cgroupfs
cgroupRoot: /$NODE_NAME
containerRuntimeEndpoint: unix:///run/containerd/containerd.sock
authentication:
  anonymous: {enabled: false}
  webhook: {enabled: true}
  x509: {clientCAFile: $P/ca.crt}
authorization: {mode: Webhook}
tlsCertFile: $P/kubelet.crt
tlsPrivateKeyFile: $P/kubelet.key
failSwapOn: false
oomScoreAdj: 0
maxOpenFiles: 20000
resolvConf: ""
clusterDomain: cluster.local
clusterDNS: [$NODE_IP]
makeIPTablesUtilChains: false
seccompDefault: true
imageGCHighThresholdPercent: 100
imageGCLowThresholdPercent: 99
evictionHard: {memory.available: 100Mi, nodefs.available: 1%, imagefs.available: 1%, nodefs.inodesFree: 1%, imagefs.inodesFree: 1%}
nodeStatusUpdateFrequency: 5s
serverTLSBootstrap: false
syncFrequency: 10s
maxPods: 110
K
cat > "$S/etc/kube-proxy.yaml" <<K
apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
clientConnection: {kubeconfig: $S/kube-proxy.kubeconfig}
mode: nftables
clusterCIDR: $NODE_POD_CIDR
hostnameOverride: $NODE_NAME
oomScoreAdj: 0
conntrack: {maxPerCore: 0, min: 0, tcpEstablishedTimeout: 0s, tcpCloseWaitTimeout: 0s}
nftables: {syncPeriod: 30s, minSyncPeriod: 100ms}
K
cat > "$S/etc/bootstrap.yaml" <<K
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: e2e-kube-proxy}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: system:node-proxier}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: system:kube-proxy}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: e2e-coredns}
rules:
- {apiGroups: [""], resources: [services, pods, namespaces, endpoints], verbs: [list, watch]}
- {apiGroups: [discovery.k8s.io], resources: [endpointslices], verbs: [list, watch]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: e2e-coredns}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: e2e-coredns}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: system:coredns}]
K
say "configuration written"

# --- network namespace and link ----------------------------------------------
mountpoint -q /run/netns || touch "$S/made-run-netns" # ip makes /run/netns a mount; down.sh then undoes it
ip netns add "$NODE_NAME"
ip link add "$NODE_LINK" type veth peer name eth0 netns "$NODE_NAME"
ip addr add "$NODE_HOST_IP/30" dev "$NODE_LINK"
ip link set "$NODE_LINK" up
ip -n "$NODE_NAME" addr add "$NODE_IP/30" dev eth0
ip -n "$NODE_NAME" link set lo up
ip -n "$NODE_NAME" link set eth0 up
# No default route: nothing in the node reaches beyond this link. kube-proxy
# rewrites ClusterIPs, but what the node itself sends needs a route before that.
ip -n "$NODE_NAME" route add "$NODE_SERVICE_CIDR" dev eth0 src "$NODE_IP"
ip route add "$NODE_POD_CIDR" via "$NODE_IP"
ip route add "$NODE_SERVICE_CIDR" via "$NODE_IP"
ip netns exec "$NODE_NAME" sysctl -qw net.ipv4.ip_forward=1

# --- the node -----------------------------------------------------------------
export NODE_PATH NODE_STATE NODE_NAME NODE_IP NODE_POD_CIDR NODE_SERVICE_CIDR NODE_API_PORT NODE_ETCD_PORT NODE_CNI
echo "$NODE_PATH" > "$S/path"
setsid nsenter --net="/run/netns/$NODE_NAME" \
  unshare --mount --pid --cgroup --uts --ipc --fork --kill-child --mount-proc \
  bash "$here/init.sh" > "$S/log/init.log" 2>&1 < /dev/null &
echo $! > "$S/up.pid"
cp "/proc/$(cat "$S/up.pid")/cgroup" "$S/cgroups" # where down.sh finds the node's cgroups
k() { PATH=$NODE_PATH:$PATH kubectl --kubeconfig="$NODE_KUBECONFIG" --request-timeout=5s "$@"; }
until_ok() { # seconds, what, command...
  local n=$1 w=$2 i; shift 2
  for ((i = 0; i < n * 5; i++)); do
    if "$@" > "$S/log/wait" 2>&1; then say "$w"; return 0; fi
    kill -0 "$(cat "$S/up.pid")" 2>/dev/null || { echo "node/up.sh: the node ended; see $S/log" >&2; exit 1; }
    sleep 0.2
  done
  echo "node/up.sh: no '$w' within $n s; last answer:" >&2; cat "$S/log/wait" >&2; exit 1
}
until_ok 60 "API server ready" k get --raw /readyz
k apply -f "$S/etc/bootstrap.yaml" > /dev/null
until_ok 60 "node Ready" k wait --for=condition=Ready "node/$NODE_NAME" --timeout=1s
until_ok 30 "default service account there" k get serviceaccount default
say "up"
echo "$NODE_KUBECONFIG"
