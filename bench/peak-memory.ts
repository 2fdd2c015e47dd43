// Loaded before a command (node --import), says at its end on the error stream how much memory the process took at most.
import { writeSync } from "node:fs";

process.on("exit", () => {
  writeSync(2, `\npeak memory: ${process.resourceUsage().maxRSS * 1024} bytes\n`);
});
