// The study of docs/evidence.md beside the same in Python: node bench/peers/study.mjs DATA PYTHON [N].
// DATA holds ilsvrc2012-loc (photos/ and annotations.json), PYTHON has torch, zennit and quantus. N photos (20), SqueezeNet 1.1 of the package, six
// maps, four localisation metrics. Every number is compared before any time is told; ours are from the command to its last file.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const [data, python, count = "20"] = process.argv.slice(2);
if (python === undefined) throw new Error("usage: node bench/peers/study.mjs DATA PYTHON [N]");
const root = fileURLToPath(new URL("../..", import.meta.url));
const [photos, annotations] = ["photos", "annotations.json"].map((name) => join(data, "ilsvrc2012-loc", name));
const maps = ["epsilonPlus:|R|", "epsilonPlus:blur", "gradcam", "gradcam++", "layercam", "gaussian"];
const metrics = ["pointing", "mass", "rank", "auc"];
const out = mkdtempSync(join(tmpdir(), "srmap-study-"));
process.on("exit", () => rmSync(out, { recursive: true, force: true }));

function ours(jobs) {
  const folder = join(out, String(jobs));
  const options = ["-m", "squeezenet1_1-caffe", "--whole", "--maps", maps.join(","), "--metrics", metrics.join(",")];
  const started = performance.now();
  execFileSync(process.execPath, [
    ...[join(root, "build/cli/main.js"), "evaluate", photos, "-a", annotations, ...options],
    ...["--limit", count, "--pictures", "0", "--jobs", String(jobs), "-o", folder],
  ]);
  const wall = performance.now() - started;
  return { wall, rows: JSON.parse(readFileSync(join(folder, "evaluation.json"), "utf8")).rows };
}

function theirs(threads) {
  const script = join(root, "bench/peers/study_torch.py");
  const weights = join(root, "models/squeezenet1_1-caffe.safetensors");
  const args = [script, photos, annotations, weights, count, String(threads)];
  return JSON.parse(execFileSync(python, args, { maxBuffer: 1 << 28, encoding: "utf8" }));
}

/** Largest and median difference of each map and metric. */
function differences(rows, others) {
  for (const map of maps) {
    const told = metrics.map((metric) => {
      const off = rows.map(({ photo, maps: found }) => Math.abs(found[map][metric].value - others[photo][map][metric]));
      off.sort((a, b) => a - b);
      const [median, most] = [off[off.length >> 1], off.at(-1)];
      if (!(median <= 1e-3)) throw new Error(`${map}, ${metric}: the two differ by ${median} in the median.`);
      return `${metric} ${median.toExponential(1)} (most ${most.toExponential(1)})`;
    });
    console.log(`${map}: ${told.join(", ")}`);
  }
}

for (const n of [1, 2]) {
  const [mine, peer] = [ours(n), theirs(n)];
  if (mine.rows.length !== peer.photos)
    throw new Error(`${mine.rows.length} photos of ours, ${peer.photos} of theirs.`);
  if (n === 1) differences(mine.rows, peer.rows);
  const rate = (wall) => ((1000 * peer.photos) / wall).toFixed(2);
  const versions = Object.entries(peer.versions).map((pair) => pair.join(" "));
  console.log(
    `${n}: srmap ${rate(mine.wall)} photos/s (processes), ${versions.join(", ")} ${rate(peer.wall)} (threads)`,
  );
}
