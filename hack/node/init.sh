#!/usr/bin/env bash
# Process 1 of the node's pid namespace. up.sh starts it; not to be run by hand.
set -u
S=$NODE_STATE
[ $$ = 1 ] || { echo "node/init.sh: not process 1 of a pid namespace; up.sh starts this" >&2; exit 1; }
hostname "$NODE_NAME"
ip link set lo up

# A private view of the file system: what containerd, CNI and the kubelet keep
# in /var and /run goes to the state directory and a tmpfs of our own.
mount --make-rprivate / # from here on no mount or unmount of ours reaches the machine
umount -R /sys          # our copies of the machine's mounts
mount -t sysfs sysfs /sys
# Fresh mounts of the cgroup hierarchies that this machine has, made inside our
# own cgroup namespace: their root is the cgroup this script was started in, so
# all pods stay below it. The machine's own mounts are not touched.
mount -t tmpfs -o mode=755 tmpfs /sys/fs/cgroup
if grep -q '^[1-9][0-9]*:[a-z,]*cpu[,:]' /proc/self/cgroup; then
  while IFS=: read -r id ctl _; do
    [ "$id" = 0 ] && continue
    d=${ctl#name=}
    mkdir -p "/sys/fs/cgroup/$d" && mount -t cgroup -o "$ctl" cgroup "/sys/fs/cgroup/$d"
    mkdir -p "/sys/fs/cgroup/$d/$NODE_NAME"
    [ "$d" = cpuset ] && for f in cpus mems; do
      cat "/sys/fs/cgroup/cpuset/cpuset.$f" > "/sys/fs/cgroup/cpuset/$NODE_NAME/cpuset.$f"
    done
  done < /proc/self/cgroup
else # cgroup v2 only
  umount /sys/fs/cgroup
  mount -t cgroup2 cgroup2 /sys/fs/cgroup
  # a cgroup with children may hold no processes itself
  mkdir -p /sys/fs/cgroup/init && echo 1 > /sys/fs/cgroup/init/cgroup.procs
  for c in $(cat /sys/fs/cgroup/cgroup.controllers); do echo "+$c" > /sys/fs/cgroup/cgroup.subtree_control || true; done
  mkdir -p "/sys/fs/cgroup/$NODE_NAME"
fi
mount --bind "$S/var" /var
mount -t tmpfs -o mode=755 tmpfs /run
mkdir -p /run/lock /run/netns
mount --make-rshared /
export PATH=$NODE_PATH:$NODE_CNI:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
unset KUBECONFIG

declare -A names
start() { # name command...
  local n=$1; shift
  "$@" > "$S/log/$n.log" 2>&1 < /dev/null &
  names[$!]=$n
}
keep() { # name command...: starts it again whenever it ends, but not while it is to stay away (node.sh away, back)
  local n=$1; shift
  while :; do
    while [ -e "$S/away-$n" ]; do sleep 0.1; done
    "$@" >> "$S/log/$n.log" 2>&1 < /dev/null &
    echo $! > "$S/pid-$n"
    wait $!
    echo "$(date -u +%T) $n ended with $?"
    sleep 0.2
  done
}
stop() { # in order: workloads' managers first, store last
  trap '' TERM
  kill -TERM $(jobs -p) 2>/dev/null
  exit 0 # the pid namespace ends with us: the kernel kills what is left
}
trap stop TERM INT

start etcd etcd --name n --data-dir "$S/etcd" --unsafe-no-fsync \
  --listen-client-urls "http://127.0.0.1:$NODE_ETCD_PORT" --advertise-client-urls "http://127.0.0.1:$NODE_ETCD_PORT" \
  --listen-peer-urls "http://127.0.0.1:$((NODE_ETCD_PORT + 1))" --initial-advertise-peer-urls "http://127.0.0.1:$((NODE_ETCD_PORT + 1))" \
  --initial-cluster "n=http://127.0.0.1:$((NODE_ETCD_PORT + 1))"
start containerd containerd --config "$S/etc/containerd.toml"
keep kube-apiserver kube-apiserver --etcd-servers="http://127.0.0.1:$NODE_ETCD_PORT" \
  --bind-address=0.0.0.0 --advertise-address="$NODE_IP" --secure-port="$NODE_API_PORT" \
  --tls-cert-file="$S/pki/apiserver.crt" --tls-private-key-file="$S/pki/apiserver.key" --client-ca-file="$S/pki/ca.crt" \
  --kubelet-client-certificate="$S/pki/kubelet-client.crt" --kubelet-client-key="$S/pki/kubelet-client.key" \
  --kubelet-certificate-authority="$S/pki/ca.crt" --kubelet-preferred-address-types=InternalIP \
  --service-account-issuer=https://kubernetes.default.svc --service-account-key-file="$S/pki/sa.pub" --service-account-signing-key-file="$S/pki/sa.key" \
  --requestheader-client-ca-file="$S/pki/ca.crt" --requestheader-allowed-names=front-proxy-client \
  --requestheader-username-headers=X-Remote-User --requestheader-group-headers=X-Remote-Group --requestheader-extra-headers-prefix=X-Remote-Extra- \
  --proxy-client-cert-file="$S/pki/front-proxy-client.crt" --proxy-client-key-file="$S/pki/front-proxy-client.key" \
  --service-cluster-ip-range="$NODE_SERVICE_CIDR" --authorization-mode=Node,RBAC --enable-admission-plugins=NodeRestriction \
  --token-auth-file="$S/pki/tokens.csv" --allow-privileged=true &
# Before the kubelet starts, so that its first pod finds it.
for ((i = 0; i < 150; i++)); do ctr version > /dev/null 2>&1 && break; sleep 0.1; done
for d in ${NODE_PATH//:/ }; do
  [ -e "$d/pause.tar" ] && ctr -n k8s.io images import --local "$d/pause.tar"
done

# The controller manager and the scheduler give up when they come before the
# API server's first roles, which readyz waits for.
for ((i = 0; i < 300; i++)); do
  KUBECONFIG=$S/admin.kubeconfig kubectl --request-timeout=5s get --raw /readyz > /dev/null 2>&1 && break; sleep 0.1
done
start kube-controller-manager kube-controller-manager --kubeconfig="$S/kube-controller-manager.kubeconfig" \
  --authentication-kubeconfig="$S/kube-controller-manager.kubeconfig" --authorization-kubeconfig="$S/kube-controller-manager.kubeconfig" \
  --bind-address=127.0.0.1 --use-service-account-credentials --root-ca-file="$S/pki/ca.crt" \
  --service-account-private-key-file="$S/pki/sa.key" --cluster-signing-cert-file="$S/pki/ca.crt" --cluster-signing-key-file="$S/pki/ca.key" \
  --leader-elect=false --kube-api-qps=500 --kube-api-burst=1000
start kube-scheduler kube-scheduler --kubeconfig="$S/kube-scheduler.kubeconfig" \
  --authentication-kubeconfig="$S/kube-scheduler.kubeconfig" --authorization-kubeconfig="$S/kube-scheduler.kubeconfig" \
  --bind-address=127.0.0.1 --leader-elect=false --kube-api-qps=500 --kube-api-burst=1000
start kubelet kubelet --config="$S/etc/kubelet.yaml" --kubeconfig="$S/kubelet.kubeconfig" \
  --hostname-override="$NODE_NAME" --node-ip="$NODE_IP" --v="2"
start kube-proxy kube-proxy --config="$S/etc/kube-proxy.yaml"
start coredns coredns -conf "$S/etc/Corefile" -quiet

# Reap; say which program ended and why.
while :; do
  p=
  wait -n -p p; rc=$?
  [ -n "${p:-}" ] && [ -n "${names[$p]:-}" ] && echo "$(date -u +%T) ${names[$p]} ended with $rc"
  [ ${#names[@]} -gt 0 ] && [ -z "$(jobs -pr)" ] && { echo "nothing left running"; exit 1; }
done
