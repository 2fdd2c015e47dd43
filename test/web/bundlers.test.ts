import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { explain } from "../../engine/explain.ts";
import { loadNetwork } from "../../host/network/load.ts";
import { readImage } from "../../host/photos/read.ts";
import { chromiumPath } from "../support/browsers.ts";
import { installPacked } from "../support/packed.ts";
import { root } from "../support/paths.ts";
import { runtimePath, runtimesFolder } from "../support/runtimes.ts";
import { serveFiles } from "../support/serve.ts";
import { suite } from "../support/suite.ts";
import { give, launch } from "./open-page.ts";

// An app as people write it, of the packed package, built without a line of configuration, gives Node's bytes in a browser.

const photo = join(root, "examples/coffee.jpg");
const isolation = { "cross-origin-opener-policy": "same-origin", "cross-origin-embedder-policy": "require-corp" };

const page = `<!doctype html>
<meta charset="utf-8" />
<title>app</title>
<p></p>
<script type="module" src="./app.js"></script>
`;

interface Bundler {
  readonly name: string;
  readonly program: string | undefined;
  /** Arguments that build the app in this folder into dist/. */
  readonly args: readonly string[];
  /** Which of test/fixtures/bundlers. */
  readonly app: "placed.js" | "inline.js";
  /** True where dist/ has no page of its own. */
  readonly needsPage: boolean;
}

const bundlers: readonly Bundler[] = [
  { name: "Vite", program: runtimePath("vite"), args: ["build"], app: "placed.js", needsPage: false },
  {
    name: "webpack",
    program: runtimePath("webpack"),
    args: ["--mode", "production", "--entry", "./app.js", "--output-filename", "app.js"],
    app: "placed.js",
    needsPage: true,
  },
  {
    name: "Parcel",
    program: runtimePath("parcel"),
    args: ["build", "index.html", "--no-cache", "--no-autoinstall", "--no-source-maps"],
    app: "placed.js",
    needsPage: false,
  },
  {
    name: "Rollup",
    program: runtimePath("rollup"),
    args: ["-p", "@rollup/plugin-node-resolve", "-d", "dist", "-i", "app.js", "-i", "worker=srmap/web/worker"],
    app: "inline.js",
    needsPage: true,
  },
  {
    name: "esbuild",
    program: join(root, "node_modules/.bin/esbuild"),
    args: ["app.js", "worker=srmap/web/worker", "--bundle", "--minify", "--format=esm", "--outdir=dist"],
    app: "inline.js",
    needsPage: true,
  },
];

suite("bundlers", (test) => {
  const project = mkdtempSync(join(tmpdir(), "srmap-bundlers-"));
  process.on("exit", () => rmSync(project, { recursive: true, force: true }));

  test.needsProgram(chromiumPath(), "Chromium", "the package is installed in a project", () => {
    installPacked(project);
    // What apps and bundlers find from here.
    for (const name of ["@rollup", "@vitejs", "react", "react-dom", "scheduler", "vite"]) {
      symlinkSync(join(runtimesFolder, name), join(project, "node_modules", name), "dir");
    }
    writeFileSync(join(project, "package.json"), '{ "private": true, "type": "module" }\n');
    writeFileSync(join(project, "index.html"), page);
  });

  for (const { name, program, args, app, needsPage } of bundlers) {
    test.needsProgram(
      chromiumPath() && program,
      `${name} and Chromium`,
      `an app built by ${name} without configuration gives Node's bytes`,
      async () => {
        const dist = join(project, "dist");
        rmSync(dist, { recursive: true, force: true });
        cpSync(join(root, "test/fixtures/bundlers", app), join(project, "app.js"));
        execFileSync(program ?? "", args, { cwd: project, stdio: "pipe" });
        mkdirSync(dist, { recursive: true });
        if (needsPage) writeFileSync(join(dist, "index.html"), page);
        cpSync(photo, join(dist, "coffee.jpg"));
        const server = await serveFiles(
          [
            ["/network.safetensors", join(root, "models/squeezenet1_1-caffe.safetensors")],
            ["/", `${dist}/`],
          ],
          isolation,
        );
        const browser = await launch(chromiumPath() ?? "", "chrome");
        try {
          const network = await loadNetwork(undefined);
          const options = { salientRelevance: { mode: "fast" } } as const;
          const { target, salientRelevance } = explain(network, await readImage(photo), options);
          const { buffer, byteOffset, byteLength } = salientRelevance.data;
          const sha256 = createHash("sha256")
            .update(new Uint8Array(buffer, byteOffset, byteLength))
            .digest("hex");
          const tab = await browser.newPage();
          await tab.goto(server.url);
          await tab.waitForFunction(() => document.querySelector("p")?.textContent !== "", { timeout: 60_000 });
          assert.is(
            await tab.$eval("p", ({ textContent }) => textContent),
            `${app === "placed.js" ? 2 : 1} ${target.label} ${sha256}`,
          );
        } finally {
          await browser.close();
          await server.close();
        }
      },
    );
  }

  const react = existsSync(join(runtimesFolder, "react")) ? runtimePath("vite") : undefined;
  test.needsProgram(
    chromiumPath() && react,
    "Vite, React and Chromium",
    "examples/vite-react builds and explains",
    async () => {
      const app = join(project, "vite-react");
      cpSync(join(root, "examples/vite-react"), app, { recursive: true });
      execFileSync(react ?? "", ["build"], { cwd: app, stdio: "pipe" });
      const server = await serveFiles([["/", join(app, "dist/")]], isolation);
      const browser = await launch(chromiumPath() ?? "", "chrome");
      try {
        const tab = await browser.newPage();
        await tab.goto(server.url);
        await tab.waitForSelector("input");
        await give(tab, "input", photo);
        await tab.waitForFunction(() => document.querySelector("p")?.textContent === "espresso, 100.0 %", {
          timeout: 60_000,
        });
        assert.is(await tab.$eval("canvas", ({ width }) => width), 224);
      } finally {
        await browser.close();
        await server.close();
      }
    },
  );
});
