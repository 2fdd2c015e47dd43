import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import {
  checkRequestFor,
  chosenComposite,
  compositeByName,
  createImage,
  explain,
  explainTargets,
  explanationStages,
  heatmap,
  instantiateKernels,
  Network,
  overlay,
  relevanceOfTargets,
  resolveSalientRelevanceOptions,
  salientRelevance,
  tensor,
} from "../../engine/index.ts";
import { compareAttention } from "../../evaluation/index.ts";
import {
  convertFile,
  createExplainer,
  decodeAnyImage,
  decodeImage,
  fetchModel,
  fetchWeights,
  loadKernels,
  loadNetwork,
  openNetwork,
  readImage,
  servePage,
} from "../../host/node.ts";
import { decodeImage as decodeAnywhere } from "../../photos/index.ts";
import {
  bindWeights,
  bytesSource,
  convertWeights,
  importCaffe,
  importKerasFile,
  importNetwork,
  importOnnx,
  importTfjs,
  openWeights,
} from "../../weights-loader/index.ts";
import { networkCases } from "../cases/networks.ts";
import { takersOfOptions } from "../support/declared-options.ts";
import { fixtureBytes, fixturePath, rejection } from "../support/fixtures.ts";
import { testKernels } from "../support/kernels.ts";
import { root } from "../support/paths.ts";
import { suite } from "../support/suite.ts";

// An option that does not exist is refused by every public function that takes options: a misspelt one would be ignored in silence.

const odd = { prepocess: "plain" } as Readonly<Record<string, unknown>>;
const wrong = odd as never;
const weights = fixturePath("onnx-made.onnx");
const source = bytesSource(fixtureBytes("onnx-made.onnx"));
const cat = join(root, "examples/cat.jpg");
const file = openWeights(bytesSource(fixtureBytes("small-f32.safetensors")));
const [firstCase] = Object.values(networkCases);
const map = tensor([4, 4], new Float32Array(16));

const bytes = readFileSync(cat);
const definition = firstCase!.definition;
const network = new Network(testKernels(), definition);
const input = tensor(definition.inputShape, new Float32Array(definition.inputShape.reduce((a, b) => a * b)));
const attention = { grid: [], photo: "a", mapSha256: "" } as never;

/** A call with an option that does not exist, and what its message begins with, where that is not the function's name. */
type Call = (() => unknown) | { readonly call: () => unknown; readonly what: string };

const limits = "image limits";
const calls: Readonly<Record<string, Call>> = {
  "engine/explain: chosenComposite": () => chosenComposite(wrong),
  "engine/explain: explain": () => explain(network, input, wrong),
  "engine/explain: explainTargets": { call: () => explainTargets(network, input, ["top1"], wrong), what: "explain" },
  "engine/explain: explanationStages": {
    call: () => explanationStages(network, input, ["top1"], wrong).next(),
    what: "explain",
  },
  "engine/explain: relevanceOfTargets": {
    call: () => relevanceOfTargets(network, input, ["top1"], wrong),
    what: "explain",
  },
  "engine/memory/kernels: instantiateKernels": () => instantiateKernels({} as WebAssembly.Module, wrong),
  "engine/picture/heatmap: heatmap": () => heatmap(map, wrong),
  "engine/picture/heatmap: overlay": () => overlay(createImage(4, 4), map, wrong),
  "engine/request/check: checkRequestFor": () => checkRequestFor(definition, wrong),
  "engine/salient/options: resolveSalientRelevanceOptions": {
    call: () => resolveSalientRelevanceOptions(wrong),
    what: "salient relevance",
  },
  "engine/salient/salient-relevance: salientRelevance": {
    call: () => salientRelevance(testKernels(), map, wrong),
    what: "salient relevance",
  },
  "evaluation/attention/compare: compareAttention": () => compareAttention(attention, attention, wrong),
  "host/explainer/explainer: createExplainer": () => createExplainer(wrong),
  "host/models/download: fetchModel": () => fetchModel("vgg16", wrong),
  "host/models/download: fetchWeights": () =>
    fetchWeights({ file: "x", url: "http://localhost:1/x", sha256: "00" }, join(root, "build/never"), wrong),
  "host/network/convert: convertFile": () => convertFile(weights, join(root, "never"), wrong),
  "host/network/load: loadNetwork": () => loadNetwork(undefined, weights, wrong),
  "host/network/load: openNetwork": () => openNetwork(undefined, weights, wrong),
  "host/page/serve: servePage": () => servePage(wrong),
  "host/photos/decode: decodeAnyImage": { call: () => decodeAnyImage(bytes, wrong), what: limits },
  "host/photos/decode: decodeImage": { call: () => decodeImage(bytes, wrong), what: limits },
  "host/photos/read: readImage": { call: () => readImage(cat, wrong), what: limits },
  "host/threads/load-kernels: loadKernels": () => loadKernels(wrong),
  "photos/index: decodeImage": { call: () => decodeAnywhere(bytes, wrong), what: limits },
  "weights-loader/bind: bindWeights": async () => bindWeights(network, await file, wrong),
  "weights-loader/caffe/import: importCaffe": () => importCaffe(source, wrong),
  "weights-loader/import-network: importNetwork": () => importNetwork(source, wrong),
  "weights-loader/keras/import: importKerasFile": () => importKerasFile(source, wrong),
  "weights-loader/onnx/import: importOnnx": () => importOnnx(source, wrong),
  "weights-loader/open: openWeights": () => openWeights(source, wrong),
  "weights-loader/safetensors/convert: convertWeights": async () => convertWeights(await file, wrong),
  "weights-loader/tensorflow/tfjs: importTfjs": () => importTfjs(source, wrong),
};

// What is no function by itself, and what is given as data: a misspelt name in it would be left out in silence, too.
const composite = compositeByName("epsilonPlus");
const [assignment] = composite.assignments;
const [node, ...nodes] = definition.nodes;
const explainer = createExplainer({ network: { weights } }); // its worker is started by the first call that is right
const others: Readonly<Record<string, () => unknown>> = {
  Network: () => new Network(testKernels(), definition, wrong),
  [`network "${definition.name}"`]: () => new Network(testKernels(), { ...definition, ...odd }),
  [`${node!.op} "${node!.name}"`]: () =>
    new Network(testKernels(), { ...definition, nodes: [{ ...node!, ...odd }, ...nodes] }),
  preprocessing: () => new Network(testKernels(), { ...definition, preprocessing: wrong }),
  'composite "epsilonPlus"': () => explain(network, input, { composite: { ...composite, ...odd } }),
  'composite "epsilonPlus": assignment 1': () =>
    explain(network, input, { composite: { ...composite, assignments: [{ ...assignment!, ...odd }] } }),
  'composite "epsilonPlus": assignment 1: match': () =>
    explain(network, input, { composite: { ...composite, assignments: [{ ...assignment!, match: wrong }] } }),
  'composite "epsilonPlus": assignment 1: rule': () =>
    explain(network, input, {
      composite: { ...composite, assignments: [{ match: {}, rule: { ...assignment!.rule, ...odd } }] },
    }),
  "createExplainer: network": () => createExplainer({ network: wrong }),
  "explainer.open": () => explainer.open(wrong),
  "explainer.explain": () => explainer.explain(input, wrong),
  "explainer.explainTargets": () => explainer.explainTargets(input, ["top1"], wrong),
};

suite("unknown options", (test) => {
  test("every public function outside web/ that takes options is tried", () => {
    assert.equal(takersOfOptions((name) => !name.startsWith("web/")).sort(), Object.keys(calls).sort());
  });

  for (const [name, entry] of [...Object.entries(calls), ...Object.entries(others)]) {
    const isFunction = typeof entry === "function";
    const what = isFunction ? name.replace(/^[\w-]+\/[\w/-]+: /, "") : entry.what;
    test(`${name} refuses an option that does not exist`, async () => {
      const message = await rejection((async () => (isFunction ? entry : entry.call)())());
      assert.ok(message.startsWith(`TypeError: ${what}: unknown option "prepocess".`), message);
      assert.match(message, /It takes \w+/);
    });
  }

  test("the nearest option is offered", async () => {
    assert.match(await rejection(loadNetwork(undefined, weights, wrong)), /Did you mean "preprocess"\?/);
    const strided = { ...definition, nodes: [{ ...node!, stride: [2, 2] }, ...nodes] };
    assert.match(
      await rejection((async () => new Network(testKernels(), strided))()),
      /unknown option "stride"\. Did you mean "strides"\?/,
    );
  });

  test("a target is of one form", async () => {
    for (const [target, got] of [
      [{ clas: 3 }, "an object with clas"],
      [{ probability: 0, difference: [0, 1] }, "an object with probability, difference"],
      [{ layer: "conv" }, "an object with layer"],
      [{}, "[object Object]"],
      [null, "null"],
    ] as const) {
      assert.is(
        await rejection((async () => explain(network, input, { target: target as never }))()),
        `TypeError: target: must be a class (index, name or "top1") or one of { probability }, { difference }, { contrastive }, { logits }, { layer, channel }, got ${got}.`,
      );
    }
  });

  test("a limit without a number is refused", async () => {
    assert.is(
      await rejection(decodeAnyImage(bytes, {} as never)),
      "TypeError: image limits: maxPixels must be a number over 0, got undefined.",
    );
  });

  test("an explainer that was never started needs no end", () => explainer.close());
});
