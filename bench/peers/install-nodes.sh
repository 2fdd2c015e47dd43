#!/bin/sh
# Installs four versions of Node from npm's package "node", for bench/bytes.sh, and prints the paths of their binaries.
# Usage: bench/bytes.sh alexnet $(bench/peers/install-nodes.sh [FOLDER])   FOLDER: default .peers/nodes at the root of the checkout
set -eu
root="$(cd "$(dirname "$0")/../.." && pwd)"
folder="${1:-$root/.peers/nodes}"
mkdir -p "$folder"
cd "$folder"
[ -f package.json ] || echo '{ "private": true }' > package.json
versions="20.20.2 22.23.3 24.21.0 26.10.0"
# The package's install script puts the binary of this system in place.
# shellcheck disable=SC2046
npm install --save-exact --no-audit --no-fund $(for version in $versions; do echo "node-$version@npm:node@$version"; done) >&2
for version in $versions; do
  echo "$folder/node_modules/node-$version/bin/node"
done
