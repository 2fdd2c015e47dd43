import { availableParallelism } from "node:os";
import type { Result } from "../measure/result.ts";
import { ratio } from "./report.ts";

/** Something that the product is meant to reach: a value that should not be larger (or, `isMore`, smaller). */
interface Goal {
  readonly what: string;
  /** The value measured, undefined where its part did not run. */
  readonly got: number | undefined;
  readonly least: number;
  readonly aim: number | undefined;
  readonly unit: string;
  readonly isMore?: boolean;
}

/** What was measured, beside what is meant to be reached. */
function goals(results: readonly Result[]): Goal[] {
  const find = (group: string, name: string, threads: number, by = "srmap"): Result | undefined =>
    results.find(
      (each) => each.group === group && each.name === name && each.threads === threads && each.by.startsWith(by),
    );
  const against = (group: string, name: string, threads: number, peer: string): number | undefined => {
    const [own, other] = [find(group, name, threads), find(group, name, threads, `${peer} `)];
    return own && other && ratio(own, other);
  };
  const ms = (group: string, name: string, threads = 1): number | undefined =>
    find(group, name, threads)?.timing?.medianMs;
  const value = (group: string, name: string, threads = 1): number | undefined => find(group, name, threads)?.value;
  const gain = (network: string): number | undefined => {
    const [one, two] = [1, 2].map((threads) => ms(`threads, ${network}`, "explanation", threads));
    return one && two && one / two;
  };
  const seconds = (milliseconds: number | undefined): number | undefined =>
    milliseconds === undefined ? undefined : milliseconds / 1000;
  const x = (what: string, got: number | undefined, least: number, aim?: number): Goal => ({
    what,
    got,
    least,
    aim,
    unit: "x",
  });
  const vgg = "vgg16";
  const cores = Math.min(availableParallelism(), 4); // the command's default
  return [
    x("VGG-16 forward, 1 thread / onnxruntime-web", against(vgg, "forward", 1, "onnxruntime-web"), 0.28),
    x("VGG-16 forward, 1 thread / PyTorch", against(vgg, "forward", 1, "PyTorch"), 1),
    x("VGG-16 forward, 1 thread / onnxruntime-node", against(vgg, "forward", 1, "onnxruntime-node"), Number.NaN, 1),
    x("VGG-16 forward, 2 threads / onnxruntime-web", against(vgg, "forward", 2, "onnxruntime-web"), 0.26),
    x("VGG-16 forward, 2 threads / onnxruntime-node", against(vgg, "forward", 2, "onnxruntime-node"), Number.NaN, 1.2),
    x("AlexNet BVLC forward, 1 thread / tfjs-wasm", against("bvlc_alexnet", "forward", 1, "tfjs-wasm"), 0.6),
    x(
      "AlexNet BVLC forward, 1 thread / onnxruntime-node",
      against("bvlc_alexnet", "forward", 1, "onnxruntime-node"),
      Number.NaN,
      0.8,
    ),
    x("VGG-16 li2019, 1 thread / plain PyTorch", against(vgg, "li2019", 1, "li2019 in PyTorch"), 0.5, 0.35),
    x("VGG-16 epsilonPlus, 1 thread / zennit", against(vgg, "epsilonPlus", 1, "zennit EpsilonPlus"), 0.65, 0.45),
    x("AlexNet li2019, 1 thread / plain PyTorch", against("alexnet", "li2019", 1, "li2019 in PyTorch"), 0.4, 0.25),
    {
      what: "SR step 224x224, exact",
      got: ms("salient relevance", "224x224 lab, exact"),
      least: 500,
      aim: 250,
      unit: "ms",
    },
    {
      what: "SR step 224x224, fast",
      got: ms("salient relevance", "224x224 lab, fast"),
      least: 230,
      aim: 80,
      unit: "ms",
    },
    {
      what: "2 threads, whole explanation, VGG-16",
      got: gain(vgg),
      least: 1.8,
      aim: 1.95,
      unit: "times",
      isMore: true,
    },
    {
      what: "2 threads, whole explanation, AlexNet",
      got: gain("alexnet"),
      least: 1.8,
      aim: 1.95,
      unit: "times",
      isMore: true,
    },
    {
      what: "VGG-16 cold, command to explanation",
      got: seconds(ms("cold start", "vgg16, command to explanation", cores)),
      least: 3,
      aim: 1.5,
      unit: "s",
    },
    x(
      "VGG-16 peak memory of the command / file",
      value("cold start", "vgg16, peak memory of the command / file", cores),
      1.6,
      1.2,
    ),
    { what: "kernels.wasm, gzip", got: value("size", "kernels.wasm, gzip"), least: 30, aim: 15, unit: "kB" },
    {
      what: "engine JavaScript for browsers, gzip",
      got: value("size", "engine for browsers, gzip"),
      least: 40,
      aim: 20,
      unit: "kB",
    },
  ];
}

/** Prints the goals of which something was measured. */
export function printGoals(results: readonly Result[]): void {
  const measured = goals(results).filter(({ got }) => got !== undefined);
  if (measured.length === 0) return;
  console.log(`\n${"goals".padEnd(54)} ${"measured".padStart(12)} ${"at least".padStart(9)} ${"aim".padStart(6)}`);
  for (const { what, got = Number.NaN, least, aim, unit, isMore } of measured) {
    const reaches = (limit: number | undefined): boolean =>
      limit !== undefined && (isMore ? got >= limit : got <= limit);
    const verdict = reaches(aim) ? "aim reached" : reaches(least) ? "reached" : "not reached";
    const show = (limit: number | undefined): string =>
      limit === undefined || Number.isNaN(limit) ? "-" : String(limit);
    const digits = got >= 100 ? 0 : got >= 10 ? 1 : 2;
    console.log(
      `  ${what.padEnd(52)} ${`${got.toFixed(digits)} ${unit}`.padStart(12)} ${show(least).padStart(9)} ${show(aim).padStart(6)}  ${verdict}`,
    );
  }
}
