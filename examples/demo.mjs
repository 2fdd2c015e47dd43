// Explains an example photo with the network that comes with the package: `npm run demo`.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const path = (relative) => fileURLToPath(new URL(`../${relative}`, import.meta.url));
const args = ["explain", path("examples/coffee.jpg"), "--out", path("srmap-out"), "--existing", "replace"];
const { status } = spawnSync(process.execPath, [path("build/cli/main.js"), ...args], { stdio: "inherit" });
if (status === 0) console.log(`\nOpen ${path("srmap-out/panel.png")}`);
process.exitCode = status ?? 1;
