#!/usr/bin/env bash
# Says why no node can run on this machine, in one line, and fails; says nothing if one can.
set -uo pipefail
no() { echo "$*"; exit 1; }
[ "$(uname -s)" = Linux ] || no "a node needs Linux"
[ "$(id -u)" = 0 ] || no "a node needs root"
for program in ip nsenter unshare setsid openssl mount sysctl flock awk; do
  command -v "$program" > /dev/null || no "a node needs the program $program"
done
command -v runc > /dev/null || command -v apt-get > /dev/null || no "a node needs runc, nft and the CNI plugins, and this is no Debian to install them"
attempt='mount --make-rprivate / && mount -t tmpfs tmpfs /mnt && mkdir /mnt/cgroup'
if grep -q '^[1-9][0-9]*:[a-z,]*cpu[,:]' /proc/self/cgroup; then
  attempt="$attempt && mount -t cgroup -o memory cgroup /mnt/cgroup"
else
  attempt="$attempt && mount -t cgroup2 cgroup2 /mnt/cgroup && grep -q memory /mnt/cgroup/cgroup.controllers"
fi
attempt="$attempt && mkdir /mnt/cgroup/vipcloud-check && rmdir /mnt/cgroup/vipcloud-check"
why=$(unshare --mount --pid --net --cgroup --uts --ipc --fork --kill-child bash -c "$attempt" 2>&1) ||
  no "no namespaces or cgroups may be made here: ${why//$'\n'/; }"
