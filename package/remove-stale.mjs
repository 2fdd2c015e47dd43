// Removes from build/ what the compiler made of sources that are gone: it leaves that lying, and it would be packed.
// Usage, after tsc -b: node package/remove-stale.mjs
import { existsSync, readdirSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../", import.meta.url));
const rooms = ["engine", "weights-loader", "evaluation", "photos", "workers", "host", "web", "cli", "bench", "test"];
for (const room of rooms) {
  if (!existsSync(`${root}build/${room}`)) continue;
  for (const file of readdirSync(`${root}build/${room}`, { recursive: true, encoding: "utf8" })) {
    const source = /^(.*?)(?:\.d\.ts|\.js)$/.exec(file)?.[1];
    if (source === undefined || file.includes("node_modules")) continue;
    const endings = [".ts", ".tsx", ".mjs", ".js", ".d.ts"];
    if (!endings.some((ending) => existsSync(`${root}${room}/${source}${ending}`)))
      rmSync(`${root}build/${room}/${file}`);
  }
}
