// Loaded before a command (node --import), says at its end on the error stream how much memory and CPU time the process took.
import { writeSync } from "node:fs";
import { isMainThread } from "node:worker_threads";

if (isMainThread) {
  process.on("exit", () => {
    const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage();
    writeSync(2, `\npeak memory: ${maxRSS * 1024} bytes, CPU time: ${userCPUTime + systemCPUTime} microseconds\n`);
  });
}
