import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { circlesAmong, importsOf, reachedBy, roomOf, sourceFiles } from "./support/imports.ts";
import { kernelModule } from "./support/kernels.ts";
import { root } from "./support/paths.ts";
import { suite } from "./support/suite.ts";

interface Room {
  /** Which rooms this one may import. The arrows of the house point one way. */
  readonly imports: readonly string[];
  /** Rooms of which it may import types alone. */
  readonly typesOnly?: readonly string[];
  /** Packages and node: modules that it may import; none where there is no pattern. */
  readonly packages?: RegExp;
  /**
   * Its folders, floor by floor from the ground: a folder imports only folders on lower floors, folders on one floor do not know
   * each other. Files beside the folders stand above them all, but for those that are named here.
   */
  readonly floors: readonly (readonly string[])[];
}

const rooms: Readonly<Record<string, Room>> = {
  "kernels-as": { imports: [], floors: [["common"], ["layers", "salient", "relevance"]] },
  engine: {
    imports: ["kernels-as"],
    typesOnly: ["kernels-as"],
    floors: [
      ["basics", "labels"],
      ["graph"],
      ["models", "memory", "rules", "picture"],
      ["layers", "salient"],
      ["network"],
      ["request"],
    ],
  },
  "weights-loader": {
    imports: ["engine"],
    typesOnly: ["engine"],
    floors: [
      ["bytes"],
      ["containers", "tensors"],
      ["graphs"],
      ["caffe", "keras", "numpy", "onnx", "safetensors", "torch"],
      ["tensorflow"],
    ],
  },
  evaluation: {
    imports: ["engine"],
    floors: [
      ["basics"],
      ["localisation", "complexity", "agreement", "statistics", "maps"],
      ["annotations", "attention", "faithfulness", "sanity"],
    ],
  },
  workers: { imports: ["engine", "weights-loader"], floors: [["threads", "explainer"]] },
  photos: {
    imports: ["engine"],
    floors: [
      ["bytes.ts", "color-profile.ts", "inflate.ts", "photo.ts", "size-limit.ts"],
      ["inflate-stream.ts", "orientation"],
      ["bmp", "jpeg", "png"],
    ],
  },
  host: {
    imports: ["engine", "weights-loader", "evaluation", "workers", "photos"],
    packages: /^(node:|h5wasm$|sharp$)/,
    floors: [["files"], ["hdf5", "page", "threads"], ["models", "photos"], ["network"], ["explainer"]],
  },
  web: {
    imports: ["engine", "weights-loader", "evaluation", "workers", "photos"],
    packages: /^preact(\/hooks)?$/,
    floors: [
      ["assets.ts", "explainer-worker.ts", "messages.ts", "pictures"],
      ["photos", "threads"],
      ["network"],
      ["explainer"],
      ["page"],
    ],
  },
  cli: {
    imports: ["engine", "weights-loader", "evaluation", "photos", "host"],
    packages: /^(node:|pngjs$|jpeg-js$|bullmq$|@xmldom\/xmldom$)/,
    floors: [
      ["drawing", "processes", "terminal"],
      ["outputs"],
      ["choices", "inputs", "verify"],
      ["explain"],
      ["compare", "queue", "evaluate"],
      ["check"],
      ["commands"],
    ],
  },
  // Declarations by hand and scripts around packing.
  package: { imports: [], floors: [] },
  bench: {
    imports: ["engine", "weights-loader", "evaluation", "workers", "host", "test/cases"],
    packages: /^(node:|benchmark$)/,
    floors: [["measure", "nets"], ["parts"], ["report"]],
  },
  test: {
    imports: ["kernels-as", "engine", "weights-loader", "evaluation", "workers", "photos", "host", "web", "cli"],
    packages: /^(node:|bullmq$|uvu$|uvu\/assert$|puppeteer-core$|esbuild$|pngjs$|jpeg-js$|@xmldom\/xmldom$)/,
    // Of test files no order is asked: nobody imports them.
    floors: [["oracle"], ["cases"], ["support"], ["reference"]],
  },
};

// Values that a types-only arrow may carry all the same: the loader throws the engine's own error classes (a second set would
// make `instanceof` lie), writes shapes in messages as the engine does, and sorts graphs and places windows by the engine's own rules.
// All are leaves that hold no engine state.
const valuesAllTheSame: Readonly<Record<string, readonly string[]>> = {
  // Calls of kernels by named arguments.
  engine: ["kernels-as/kernel-calls.js"],
  "weights-loader": [
    "engine/basics/bytes.ts",
    "engine/basics/errors.ts",
    "engine/basics/tensor.ts",
    "engine/graph/order.ts",
    "engine/graph/window.ts",
    "engine/models/preprocessing.ts",
  ],
};

// Imports that break a rule until somebody mends them. A line that breaks none any more has to go.
const knownCircles: readonly string[] = [];
const knownSteps: readonly string[] = [];

const there = Object.entries(rooms).filter(([room]) => existsSync(join(root, room)));

/** Folder of a file inside its room; "" for a file beside the folders that has no floor of its own. */
function folderOf(room: string, file: string): string {
  const [folder = "", rest] = file.slice(room.length + 1).split("/");
  const hasFloor = rooms[room]?.floors.some((floor) => floor.includes(folder));
  return rest === undefined && !hasFloor ? "" : folder;
}

suite("architecture", (test) => {
  test("every folder with sources is a room whose arrows are known", () => {
    const folders = readdirSync(root, { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && !/^(\.|node_modules$|build$|docs$|shared$)/.test(entry.name))
      .map(({ name }) => name)
      .filter((name) => sourceFiles(name).length > 0);
    assert.equal(
      folders.filter((name) => !(name in rooms)),
      [],
    );
  });

  for (const [room, { imports, typesOnly = [], packages }] of there) {
    test(`${room} imports only what its arrows allow`, () => {
      const wrong: string[] = [];
      for (const { file, specifier, target, isTypeOnly } of importsOf(room)) {
        if (target === undefined) {
          if (!packages?.test(specifier)) wrong.push(`${file}: package "${specifier}"`);
        } else if (roomOf(target) !== room) {
          const arrow = imports.find((other) => target.startsWith(`${other}/`));
          const isAllowed = isTypeOnly || valuesAllTheSame[room]?.includes(target);
          if (arrow === undefined) wrong.push(`${file}: "${specifier}"`);
          else if (typesOnly.includes(arrow) && !isAllowed) wrong.push(`${file}: "${specifier}" (types only)`);
        }
      }
      assert.equal(wrong, []);
    });

    test(`${room} imports nothing that is not there, and no test`, () => {
      const wrong = importsOf(room)
        .filter(
          ({ target }) => target !== undefined && (!existsSync(join(root, target)) || target.endsWith(".test.ts")),
        )
        // Made by the build.
        .filter(({ target }) => target !== "kernels-as/kernels.js" && target !== "kernels-as/kernel-calls.js")
        .map(({ file, specifier }) => `${file}: "${specifier}"`);
      assert.equal(wrong, []);
    });
  }

  test("from the photo to the panel no step leads back to one before it", () => {
    const path = [...readFileSync(join(root, "docs/design.md"), "utf8").matchAll(/^\d+\. `([\w/.-]+\.ts)`/gm)].map(
      ([, file = ""]) => file,
    );
    assert.is(path.length, 10);
    // The types of what a step is handed come from the step that made it.
    const reached = reachedBy(there.flatMap(([room]) => importsOf(room)).filter(({ isTypeOnly }) => !isTypeOnly));
    const command = reached.get("cli/commands/explain.ts");
    assert.equal(
      path.filter((file) => command?.has(file) !== true),
      [],
      "is not on the way of the command",
    );
    const back = path.flatMap((file, i) =>
      path.slice(0, i).flatMap((earlier) => (reached.get(file)?.has(earlier) ? [`${file} leads to ${earlier}`] : [])),
    );
    assert.equal(back, []);
  });

  test("no file leads back to itself, types included", () => {
    const circles = there.flatMap(([room]) => circlesAmong(importsOf(room)));
    const found = circles.map((circle) => circle.join(", "));
    assert.equal(found.sort(), [...knownCircles].sort());
  });

  test("folders inside a room import only folders on lower floors", () => {
    const wrong = new Set<string>();
    for (const [room, { floors }] of there) {
      const floorOf = (folder: string): number =>
        folder === "" ? floors.length : floors.findIndex((floor) => floor.includes(folder));
      for (const { file, target } of importsOf(room)) {
        if (target === undefined || roomOf(target) !== room || file.endsWith(".test.ts")) continue;
        const [from, to] = [folderOf(room, file), folderOf(room, target)];
        if (from === to) continue;
        if (floorOf(from) < 0 || floorOf(to) < 0 || floorOf(to) >= floorOf(from)) {
          wrong.add(`${room}/${from} -> ${room}/${to}`);
        }
      }
    }
    assert.equal([...wrong].sort(), [...knownSteps].sort());
  });

  test("the release kernel module imports env.memory and nothing else", () => {
    const imports = WebAssembly.Module.imports(kernelModule()).map(({ module, name }) => `${module}.${name}`);
    assert.equal(imports, ["env.memory"]);
  });
});
