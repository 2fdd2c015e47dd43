import { execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import * as assert from "uvu/assert";
import { explain } from "../../engine/explain.ts";
import { loadNetwork } from "../../host/network/load.ts";
import { readImage } from "../../host/photos/read.ts";
import { chromiumPath } from "../support/browsers.ts";
import { freePort } from "../support/free-port.ts";
import { installPacked } from "../support/packed.ts";
import { root } from "../support/paths.ts";
import { runtimePath } from "../support/runtimes.ts";
import { suite } from "../support/suite.ts";
import { launch } from "./open-page.ts";

const photo = join(root, "examples/coffee.jpg");
const environment = { ...process.env, NEXT_TELEMETRY_DISABLED: "1" };

suite("Next.js", (test) => {
  const next = runtimePath("next");
  for (const bundler of ["webpack", "turbopack"]) {
    test.needsProgram(
      chromiumPath() && next,
      "Next.js and Chromium",
      `an app built by ${bundler} without configuration gives Node's bytes`,
      async () => {
        const program = next ?? "";
        // Beside Next's own modules: Turbopack reads nothing outside of the folder with the lock file.
        const app = mkdtempSync(join(dirname(program), "../../srmap-app-"));
        try {
          installPacked(app);
          writeFileSync(join(app, "package.json"), '{ "private": true, "type": "module" }\n');
          cpSync(join(root, "test/fixtures/bundlers/next"), join(app, "app"), { recursive: true });
          mkdirSync(join(app, "public"));
          cpSync(photo, join(app, "public/coffee.jpg"));
          execFileSync(program, ["build", `--${bundler}`], {
            cwd: app,
            stdio: "pipe",
            env: environment,
            timeout: 240_000,
          });
          const port = await freePort();
          const server = spawn(process.execPath, [program, "start", "-p", String(port)], {
            cwd: app,
            env: environment,
            stdio: ["ignore", "pipe", "inherit"],
          });
          const browser = await launch(chromiumPath() ?? "", "chrome");
          try {
            await new Promise<void>((resolve) => {
              server.stdout.on("data", (text: Buffer) => text.includes("Ready") && resolve());
            });
            const tab = await browser.newPage();
            await tab.goto(`http://localhost:${port}/`);
            await tab.waitForFunction(() => (document.querySelector("p")?.textContent ?? "") !== "", {
              timeout: 60_000,
            });
            const options = { salientRelevance: { mode: "fast" } } as const;
            const { target, salientRelevance } = explain(await loadNetwork(undefined), await readImage(photo), options);
            const sha256 = createHash("sha256").update(salientRelevance.data).digest("hex");
            assert.is(await tab.$eval("p", ({ textContent }) => textContent), `1 ${target.label} ${sha256}`);
          } finally {
            await browser.close();
            server.kill();
          }
        } finally {
          rmSync(app, { recursive: true, force: true });
        }
      },
    );
  }
});
