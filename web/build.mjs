// Bundles for pages: build/browser (the library, minified, with its worker scripts) and build/page (the page as static files).
// Usage: node web/build.mjs. Needs the kernels and models; TypeScript is read as it is.
import { createHash } from "node:crypto";
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { deflateRawSync } from "node:zlib";
import { build } from "esbuild";
import { buildMinimal } from "./build-minimal.mjs";

const root = fileURLToPath(new URL("../", import.meta.url));
const from = (path) => `${root}${path}`;
const deflated = (path) => deflateRawSync(readFileSync(path), { level: 9 }).toString("base64");
const common = {
  absWorkingDir: root,
  bundle: true,
  splitting: true,
  format: "esm",
  target: "es2022",
  minify: true,
  logLevel: "warning",
  banner: { js: "/*! srmap, MIT licence; see LICENSE and NOTICE of the npm package srmap */" },
  external: ["node:*"],
  // Made by the build of the kernels; everything else is read from its source.
  plugins: [
    {
      name: "kernel arguments",
      setup: ({ onResolve }) =>
        onResolve({ filter: /\/kernels-as\/kernel-calls\.js$/ }, () => ({
          path: from("build/kernels-as/kernel-calls.js"),
        })),
    },
  ],
};

rmSync(from("build/browser"), { recursive: true, force: true }); // names of chunks change
await build({
  ...common,
  sourcemap: "external",
  sourcesContent: false, // the maps name the files of the repository, and stay there
  entryPoints: {
    engine: from("engine/index.ts"),
    weights: from("weights-loader/index.ts"),
    "labels-imagenet": from("engine/labels/imagenet.ts"),
    photos: from("photos/index.ts"),
    web: from("web/index.ts"),
    worker: from("web/worker.ts"),
    thread: from("web/thread.ts"),
    "kernels-inline": from("web/kernels-inline.ts"),
  },
  define: { kernelsDeflated: JSON.stringify(deflated(from("build/kernels-as/kernels.wasm"))) },
  outdir: from("build/browser"),
});

await buildMinimal(root, common);

const page = from("build/page/");
rmSync(page, { recursive: true, force: true });
mkdirSync(page, { recursive: true });
// Classic scripts, each whole: from disk (the page in one file) browsers run no modules.
await build({
  ...common,
  splitting: false,
  format: "iife",
  define: { "import.meta.url": "document.baseURI" },
  jsx: "automatic",
  jsxImportSource: "preact",
  entryPoints: { page: from("web/page/page.tsx") },
  outdir: page,
});
await build({
  ...common,
  splitting: false,
  format: "iife",
  define: { "import.meta.url": "self.location.href" },
  entryPoints: {
    worker: from("web/worker.ts"),
    "bundled-worker": from("web/page/bundled-worker.ts"),
    thread: from("web/thread.ts"),
  },
  outdir: page,
});
for (const file of ["index.html", "style.css", "manifest.webmanifest", "icon.svg"])
  cpSync(from(`web/page/${file}`), `${page}${file}`);

// What works offline: the page, its kernels and its examples (host/page/files.ts puts them beside each other); weights keep a cache of their own.
const kernels = ["kernels.wasm", "kernels-shared.wasm"];
const photos = readdirSync(from("examples")).filter((file) => file.endsWith(".jpg"));
const contents = [
  ...readdirSync(page).map((file) => [file, `${page}${file}`]),
  ...kernels.map((file) => [file, from(`build/kernels-as/${file}`)]),
  ...photos.map((file) => [`examples/${file}`, from(`examples/${file}`)]),
].sort(([a], [b]) => (a < b ? -1 : 1));
const version = createHash("sha256");
for (const [, path] of contents) version.update(readFileSync(path));
const define = {
  pageFiles: JSON.stringify(["./", ...contents.map(([file]) => file)]),
  pageVersion: JSON.stringify(version.digest("hex").slice(0, 12)),
};
const { outputFiles } = await build({
  ...common,
  splitting: false,
  entryPoints: [from("web/page/sw.ts")],
  define,
  write: false,
});
writeFileSync(`${page}sw.js`, outputFiles[0].text);
