// What the peers' scripts share. A peer runs in a process of its own: node PEER FOLDER THREADS SAMPLES
// FOLDER holds net.json (layers), weights.bin and input.bin (float32), model.onnx. It prints one line of JSON.
import { closeSync, openSync, readFileSync, readSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const [folder, threads, samples] = [process.argv[2], Number(process.argv[3]), Number(process.argv[4])];
export const peers = fileURLToPath(new URL("../../.peers/", import.meta.url));
export const load = createRequire(join(peers, "package.json"));
export const net = JSON.parse(readFileSync(join(folder, "net.json"), "utf8"));

/** Version of an installed peer, from its package file, which its exports may hide. */
export const versionOf = (name) =>
  JSON.parse(readFileSync(join(peers, "node_modules", name, "package.json"), "utf8")).version;

/** A float32 file, read in pieces so that files over 2 GiB would do as well. */
export function floats(name, offset = 0, length = undefined) {
  const file = openSync(join(folder, name), "r");
  const bytes = length === undefined ? readFileSync(join(folder, name)).length : length * 4;
  const data = new Float32Array(bytes / 4);
  const target = new Uint8Array(data.buffer);
  for (let done = 0; done < bytes; )
    done += readSync(file, target, done, Math.min(bytes - done, 1 << 28), 4 * offset + done);
  closeSync(file);
  return data;
}

const cpuMs = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};

/** Times an asynchronous forward pass after two warm-ups and prints the result. */
export async function report(peer, version, loadMs, forward) {
  let logits = await forward();
  await forward();
  const wall = [];
  const cpu = [];
  for (let i = 0; i < samples; i++) {
    const [c, t] = [cpuMs(), performance.now()];
    logits = await forward();
    wall.push(performance.now() - t);
    cpu.push(cpuMs() - c);
  }
  const peakMiB = process.resourceUsage().maxRSS / 1024;
  console.log(JSON.stringify({ peer, version, threads, loadMs, peakMiB, wall, cpu, logits: Array.from(logits) }));
}
