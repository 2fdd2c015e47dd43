#!/bin/sh
# Compares the bytes of a network's results over Node versions, V8's compiler tiers, with and without AVX and FMA, and 1 to 3 threads.
# Usage: bench/bytes.sh NETWORK NODE...
#   NETWORK  alexnet, bvlc_alexnet or vgg16
#   NODE     paths of node binaries; bench/peers/install-nodes.sh installs four and prints their paths
set -eu
script="$(cd "$(dirname "$0")/.." && pwd)/build/bench/bytes.js"
network="$1"
shift
first=""
runs=0
for node in "$@"; do
  # Default, baseline tier only, optimising tier only, optimising without the instructions that only newer processors have.
  for flags in "" "--liftoff --no-wasm-tier-up" "--no-liftoff" "--no-liftoff --no-enable-avx --no-enable-avx2 --no-enable-fma3"; do
    for threads in 1 2 3; do
      # shellcheck disable=SC2086
      hash="$("$node" $flags "$script" "$network" "$threads")"
      echo "$network $("$node" --version) $threads threads $flags: $hash"
      first="${first:-$hash}"
      runs=$((runs + 1))
      [ "$hash" = "$first" ] || { echo "bytes differ"; exit 1; }
    done
  done
done
echo "$network: all $runs runs equal"
