import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseNpy } from "../../weights-loader/numpy/npy.ts";
import { relativeL2 } from "../measure/difference.ts";
import { type Effort, median } from "../measure/measure.ts";
import type { Result } from "../measure/result.ts";

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));
const weights = path("../../../models/squeezenet1_1-caffe.safetensors");
const group = "a folder of photos, squeezenet1_1-caffe, epsilonPlus, relevance as .npy";

/** The example photos again and again, where no folder is named. */
function exampleFolder(folder: string, count: number): string {
  const photos = join(folder, "photos");
  mkdirSync(photos);
  for (let i = 0; i < count; i++) {
    const name = i % 2 === 0 ? "cat.jpg" : "coffee.jpg";
    cpSync(path(`../../../examples/${name}`), join(photos, `${String(i).padStart(4, "0")}-${name}`));
  }
  return photos;
}

/** Bytes of every array of a run, in order of the photos. */
function arrays(folder: string, names: readonly string[], file: string): Uint8Array[] {
  return names.map((name) => readFileSync(join(folder, name, file)));
}

/** How far zennit's maps lie from ours, photo by photo: the median, since near-ties of max pools move single maps. */
function difference(ours: readonly Uint8Array[], theirs: readonly Uint8Array[]): string {
  const values = (bytes: Uint8Array): ArrayLike<number> => parseNpy(bytes, "relevance.npy").data as ArrayLike<number>;
  const off = median(ours.map((bytes, i) => relativeL2(values(bytes), values(theirs[i] ?? new Uint8Array()))));
  if (!(off <= 1e-2)) throw new Error(`zennit's maps lie ${off} from ours (median, relative L2).`);
  return `our maps ${off.toExponential(1)}`;
}

/**
 * `srmap explain FOLDER` with one process and with as many as there are cores, photos a second from the command to its end; zennit's
 * loop over the same photos where SRMAP_PYTHON names a Python that has it.
 * @param photos a folder of JPEG files; the example photos without one
 */
export function benchFolder(effort: Effort, photos: string | undefined, isWithPeers: boolean): Result[] {
  const folder = mkdtempSync(join(tmpdir(), "srmap-bench-"));
  try {
    const from = photos ?? exampleFolder(folder, effort.once ? 4 : 100);
    const names = readdirSync(from)
      .filter((name) => /\.jpe?g$/i.test(name))
      .sort();
    const results: Result[] = [];
    let first: Uint8Array[] | undefined;
    for (const jobs of new Set([1, Math.min(availableParallelism(), effort.once ? 1 : 8)])) {
      const out = join(folder, `jobs-${jobs}`);
      const options = ["--no-salient", "--write", "npy", "--jobs", String(jobs), "--out", out];
      const started = performance.now();
      const run = spawnSync(process.execPath, [path("../../cli/main.js"), "explain", from, ...options], {
        encoding: "utf8",
        maxBuffer: 1 << 28,
      });
      const seconds = (performance.now() - started) / 1000;
      if (run.status !== 0) throw new Error(`srmap explain failed: ${run.stderr}`);
      const maps = arrays(out, names, "relevance.npy");
      first ??= maps;
      if (maps.some((bytes, i) => !Buffer.from(bytes).equals(first?.[i] ?? Buffer.alloc(0))))
        throw new Error(`srmap explain, ${jobs} processes: other bytes than by one.`);
      const check = jobs === 1 ? `${names.length} maps` : "same bytes as by one process";
      results.push({
        group,
        name: `processes: ${jobs}`,
        by: "srmap",
        threads: 1,
        value: names.length / seconds,
        unit: "photos/s",
        check,
      });
    }
    const python = process.env["SRMAP_PYTHON"];
    if (isWithPeers && python !== undefined) {
      for (const threads of new Set([1, availableParallelism()])) {
        const out = join(folder, `zennit-${threads}`);
        const script = path("../../../bench/peers/zennit_folder.py");
        const run = spawnSync(python, [script, from, weights, out, String(threads)], { encoding: "utf8" });
        if (run.status !== 0) throw new Error(`zennit_folder.py failed: ${run.stderr}`);
        const said = JSON.parse(run.stdout) as { version: string; photos: number; wall: number }; // written by our own script
        const check = difference(first ?? [], arrays(out, names, "relevance.npy"));
        const value = (1000 * said.photos) / said.wall;
        results.push({
          group,
          name: `threads: ${threads}`,
          by: `zennit ${said.version}`,
          threads,
          value,
          unit: "photos/s",
          check,
        });
      }
    }
    return results;
  } finally {
    rmSync(folder, { recursive: true });
  }
}
