#!/usr/bin/env bash
# Runs a command inside the node: node.sh ctr -n k8s.io images ls
#   node.sh load FILE…         imports image archives
#   node.sh kill CONTAINER     ends a container's processes with SIGKILL
#   node.sh away PROGRAM       ends a program of the node, such as kube-apiserver, and keeps it away until
#   node.sh back PROGRAM       lets it start again
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/env.sh"
pid=$(cat "$NODE_STATE/up.pid")
init=$(awk '{print $1}' "/proc/$pid/task/$pid/children")
inside() { nsenter -t "$init" -m -n -p -u -i -- env "PATH=$(cat "$NODE_STATE/path"):$NODE_CNI:$PATH" "$@"; }
case ${1:-} in
  load)
    shift
    for file in "$@"; do inside ctr -n k8s.io images import --local - < "$file"; done
    ;;
  kill) inside ctr -n k8s.io tasks kill --signal SIGKILL "$2" ;;
  away)
    touch "$NODE_STATE/away-$2"
    inside kill -KILL "$(cat "$NODE_STATE/pid-$2")"
    ;;
  back) rm -f "$NODE_STATE/away-$2" ;;
  *) inside "$@" ;;
esac
