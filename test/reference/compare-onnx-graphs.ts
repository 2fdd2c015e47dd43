// Runs graphs that make-onnx-graphs.py made and counts what differs from onnxruntime and what is refused:
//   node build/test/reference/compare-onnx-graphs.js GRAPHS.json ...
import { readFileSync } from "node:fs";
import { graphDifference, type OnnxGraph, openGraph } from "../support/onnx-graphs.ts";

const refusals = new Map<string, number>();
let [right, wrong] = [0, 0];
for (const path of process.argv.slice(2)) {
  const graphs: readonly OnnxGraph[] = JSON.parse(readFileSync(path, "utf8"));
  for (const graph of graphs) {
    try {
      const difference = graphDifference(await openGraph(graph), graph);
      if (difference <= 1e-4) right++;
      else {
        wrong++;
        console.log(`wrong: seed ${graph.seed}, ${difference}: ${graph.ops.join(" ")}`);
      }
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      if (!(error instanceof Error) || error.name !== "UnsupportedError") {
        wrong++;
        console.log(
          `failed: seed ${graph.seed}: ${error instanceof Error ? error.name : ""} ${message} ${graph.ops.join(" ")}`,
        );
        continue;
      }
      const reason = message
        .replace(/^[^\n]*\n/, "")
        .split("\n")[0]!
        .replace(/"[^"]*"/g, "")
        .replace(/[\d.-]+/g, "#")
        .trim();
      refusals.set(reason, (refusals.get(reason) ?? 0) + 1);
    }
  }
}
console.log(`${right} right, ${wrong} wrong, ${[...refusals.values()].reduce((a, b) => a + b, 0)} refused`);
for (const [reason, count] of [...refusals].sort((a, b) => b[1] - a[1])) console.log(`${count} ${reason}`);
