import { cpus, release, totalmem, type } from "node:os";

/** Where and how it was measured. */
export function machine(): Record<string, string | number> {
  const all = cpus();
  return {
    date: new Date().toISOString().slice(0, 10),
    cpu: all[0]?.model ?? "unknown",
    cores: all.length,
    memoryGB: Math.round(totalmem() / 1e9),
    system: `${type()} ${release()}`,
    node: process.version,
    v8: process.versions.v8,
    command: `npm run bench -- ${process.argv.slice(2).join(" ")}`.trim(),
  };
}
