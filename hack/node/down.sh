#!/usr/bin/env bash
# Stops what up.sh started and takes away its link, network namespace and cgroups. The state directory stays, for its logs;
# up.sh empties it. Works without the state directory too, as long as the node still runs.
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/env.sh"
S=$NODE_STATE
ours() { [ -n "${1:-}" ] && grep -qz node/init.sh "/proc/$1/cmdline" 2> /dev/null && grep -qz '^unshare$' "/proc/$1/cmdline"; }
pid=$(cat "$S/up.pid" 2> /dev/null) || pid=
ours "$pid" || { pid=; for p in $(ip netns pids "$NODE_NAME" 2> /dev/null); do ours "$p" && pid=$p; done; }
cgroups=$(cat "/proc/${pid:-none}/cgroup" "$S/cgroups" 2> /dev/null | sort -u)
gone() { local i; for ((i = 0; i < 100; i++)); do [ -d "/proc/$pid" ] || return 0; sleep 0.1; done; return 1; }
if [ -n "$pid" ]; then
  init=$(awk '{print $1}' "/proc/$pid/task/$pid/children" 2> /dev/null)
  [ -n "$init" ] && kill -TERM "$init"
  gone || { kill -KILL "$pid"; gone; } || echo "node/down.sh: process $pid is still there" >&2
fi
rm -f "$S/up.pid"
ip link del "$NODE_LINK" 2> /dev/null
ip netns del "$NODE_NAME" 2> /dev/null
if [ -e "$S/made-run-netns" ] && [ -z "$(ls -A /run/netns 2> /dev/null)" ]; then
  umount /run/netns 2> /dev/null
  rm -f "$S/made-run-netns"
fi
# The node's cgroups are empty now; take them away, deepest first.
while IFS=: read -r id controllers path; do
  case $id in
    '') continue ;;
    0) [ -e /sys/fs/cgroup/cgroup.controllers ] || continue; d=/sys/fs/cgroup$path/$NODE_NAME ;;
    *) d=/sys/fs/cgroup/${controllers#name=}$path/$NODE_NAME ;;
  esac
  for ((i = 0; i < 20; i++)); do
    [ -d "$d" ] || break
    find "$d" -depth -type d -exec rmdir {} + 2> /dev/null
    [ -d "$d" ] && sleep 0.1
  done
  [ -d "$d" ] && echo "node/down.sh: $d is still there" >&2
done <<< "$cgroups"
rm -f "$S/cgroups"
exit 0
