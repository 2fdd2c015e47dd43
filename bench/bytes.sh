#!/bin/sh
# Compares the bytes of a network's results over Node versions, V8's compiler tiers and 1 to 3 threads.
# Usage: bench/bytes.sh NETWORK NODE... (paths of node binaries; npm's package "node" has them: npm i node@22)
set -eu
script="$(cd "$(dirname "$0")/.." && pwd)/build/bench/bytes.js"
network="$1"
shift
first=""
for node in "$@"; do
  for tier in "" "--liftoff --no-wasm-tier-up" "--no-liftoff"; do
    for threads in 1 2 3; do
      # shellcheck disable=SC2086
      hash="$("$node" $tier "$script" "$network" "$threads")"
      echo "$("$node" --version) $threads threads $tier: $hash"
      first="${first:-$hash}"
      [ "$hash" = "$first" ] || { echo "bytes differ"; exit 1; }
    done
  done
done
echo "all equal"
