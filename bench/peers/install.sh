#!/bin/sh
# Installs the competitors of the benchmark into .peers at the root of the checkout: never dependencies of the package.
# PyTorch, zennit and captum are not installed here: name a Python that has them in SRMAP_PYTHON.
set -eu
folder="$(cd "$(dirname "$0")/../.." && pwd)/.peers"
mkdir -p "$folder"
cd "$folder"
[ -f package.json ] || echo '{ "private": true }' > package.json
npm install --save-exact --no-audit --no-fund @tensorflow/tfjs-backend-wasm@4.22.0 @tensorflow/tfjs-backend-cpu@4.22.0 @tensorflow/tfjs-core@4.22.0 onnxruntime-web@1.30.0
# Its package brings the CPU binary; the install script would only fetch CUDA.
npm install --save-exact --no-audit --no-fund --ignore-scripts onnxruntime-node@1.30.0
