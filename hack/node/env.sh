# Settings of the scripts in this directory; each can be set from outside. To be sourced.
# Two nodes at a time need different names, links, addresses and state directories.
: "${NODE_NAME:=vipcloud-e2e}"         # of the node, its network namespace and its cgroup
: "${NODE_LINK:=vc-e2e}"               # this machine's end of the link to the node
: "${NODE_HOST_IP:=10.211.0.1}"        # its address
: "${NODE_IP:=10.211.0.2}"             # the node's: API server, DNS, node ports
: "${NODE_POD_CIDR:=10.212.0.0/24}"
: "${NODE_SERVICE_CIDR:=10.213.0.0/24}"
: "${NODE_SERVICE_IP:=10.213.0.1}"     # the first address of NODE_SERVICE_CIDR
: "${NODE_API_PORT:=26443}"
: "${NODE_ETCD_PORT:=22379}"
: "${NODE_CNI:=/usr/lib/cni}"          # Debian's containernetworking-plugins
: "${NODE_PAUSE:=vipcloud.test/pause:1}"

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cache=${VIPCLOUD_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/vipcloud}
# etcd, certificates, containerd, kubelet, logs. Not below /var or /run, which the node has of its own.
: "${NODE_STATE:=$cache/node-state-$NODE_NAME}"
NODE_KUBECONFIG=$NODE_STATE/admin.kubeconfig
