import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import * as assert from "uvu/assert";
import { explain } from "../../engine/explain.ts";
import { loadNetwork } from "../../host/network/load.ts";
import { readImage } from "../../host/photos/read.ts";
import { root } from "../support/paths.ts";
import { suite } from "../support/suite.ts";

suite("a bundle of srmap/node", (test) => {
  for (const format of ["esm", "cjs"] as const) {
    test(`runs from anywhere, as ${format}, with the library's bytes`, async () => {
      const folder = mkdtempSync(join(tmpdir(), "srmap-bundle-"));
      try {
        const outfile = join(folder, format === "esm" ? "server.mjs" : "server.cjs");
        const { warnings } = await build({
          entryPoints: [join(root, "test/fixtures/bundlers/server.js")],
          bundle: true,
          platform: "node",
          format,
          outfile,
          external: ["sharp", "h5wasm"], // optional packages, looked for when they are needed
          logLevel: "silent",
        });
        // In CommonJS there is no import.meta: what asks for files of the package fails there when it is called, and not before.
        assert.equal([...new Set(warnings.map(({ id }) => id))], format === "esm" ? [] : ["empty-import-meta"]);
        const photo = join(folder, "photo.jpg");
        copyFileSync(join(root, "examples/coffee.jpg"), photo);
        const weights = join(folder, "weights.safetensors");
        copyFileSync(join(root, "models/squeezenet1_1-caffe.safetensors"), weights);
        writeFileSync(join(folder, "package.json"), "{}");
        const out = execFileSync(process.execPath, [outfile, weights, photo], { cwd: folder, encoding: "utf8" });

        const { target, relevance } = explain(await loadNetwork(undefined), await readImage(photo));
        const { buffer, byteOffset, byteLength } = relevance.data;
        const sum = createHash("sha256")
          .update(new Uint8Array(buffer, byteOffset, byteLength))
          .digest("hex");
        assert.is(out, `0.1.0 ${target.label} ${sum}\n`);
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    });
  }
});
