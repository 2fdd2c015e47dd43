import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join, posix } from "node:path";
import * as assert from "uvu/assert";
import { duplicatesAmong } from "./support/duplicates.ts";
import { functionsOf } from "./support/functions.ts";
import { sourceFiles } from "./support/imports.ts";
import { root } from "./support/paths.ts";
import { suite } from "./support/suite.ts";

// How the sources are kept. Each list names what is over a limit, with the reason; a line whose cause is gone has to go.

const product = [
  "kernels-as",
  "engine",
  "weights-loader",
  "evaluation",
  "photos",
  "workers",
  "host",
  "web",
  "cli",
].flatMap(sourceFiles);

const longestFunction = 59;
const longFunctions: Readonly<Record<string, string>> = {
  "kernels-as/common/ratio.ts ratio":
    "the variables of its loop are the machine's registers: cut by rows or before its tail it takes 8 to 30 % longer with a bias",
  "kernels-as/layers/winograd-product.ts winogradProduct":
    "16 channels in a straight line, for registers: a loop takes 9 % longer, a function returns one vector",
};

const longestFile = 300;
const longFiles: Readonly<Record<string, string>> = {
  "engine/labels/imagenet.ts": "a list of 1000 names",
};

// Where a value may be missing and 0, 1 or nothing stands for it; what must be there is asked for by mustHave.
const noMatch = "no match";
const noActivation = "a layer without an activation";
const counted = "a count begins at 0";
const maybeMissing: Readonly<Record<string, string>> = {
  "engine/layers/conv2d.ts layer.activation": noActivation,
  "engine/layers/conv2d.ts setup.winograd.transposed?.tile": "0 is the direct convolution",
  "engine/layers/dense.ts layer.activation": noActivation,
  "engine/layers/dense.ts mask?.address": "address 0 is no mask",
  "engine/layers/index-map.ts node.fill": "a default of the node",
  "engine/layers/conv2d.ts pass?.weightBytes": "a pass without Winograd's algorithm",
  "engine/layers/linear/winograd.ts this.#uses.get(key)": counted,
  "engine/layers/resample2d.ts rows?.weights": "an axis that stays as it is",
  "engine/layers/resample2d.ts columns?.weights": "an axis that stays as it is",
  "engine/memory/arena.ts this.#own?.splice(0)": "an arena without blocks of its own",
  "engine/models/preprocessing-spec.ts /^([1-9]\\d{0,5})(?:x([1-9]\\d{0,5}))?$/.exec(text)": noMatch,
  "engine/network/compile.ts readers.get(input)": counted,
  "engine/network/compile.ts readers.get(name)": counted,
  "engine/network/network.ts this.#readers.get(name)": "a list begins empty",
  "engine/request/target.ts labels": "a network without labels",
  "engine/request/target.ts /^(probability|difference|contrastive|channel):(.*)$/s.exec(text)": noMatch,
  "engine/request/target.ts /^(.+):(\\d+)$/s.exec(rest)": noMatch,
};

const heads = "heads of kernels with the same arguments: AssemblyScript has no types for lists of arguments";
const bodies = "the same steps of loops over registers, which a function would spill";
const twice: Readonly<Record<string, string>> = {
  "engine/models/squeezenet.ts": "the sizes of two versions' modules, as their papers list them",
  "kernels-as/layers/depthwise-three.ts": "a filter's three rows: a loop over them takes 6 to 10 % longer",
  "kernels-as/layers/depthwise-tiles.ts": "the parameters of two tiles",
  "kernels-as/layers/normalise.ts": heads,
  "kernels-as/layers/max-pool2d.ts": bodies,
  "photos/jpeg/idct.ts": "libjpeg's butterfly, once for columns and once for rows",
  "weights-loader/onnx/arithmetic.ts": "add and multiply meet their constants in the same steps",
};

/**
 * How often, outside the engine, a value that is missing becomes 0, an empty text or an empty list in silence. Right where a format or a person leaves it out (then
 * the default is the format's); what the program itself has put there is asked for by `mustHave`. The numbers may only fall.
 */
const silentDefaults: Readonly<Record<string, number>> = {
  "kernels-as": 0,
  "weights-loader": 171,
  evaluation: 2,
  photos: 6,
  workers: 0,
  host: 11,
  web: 3,
  cli: 38,
};

/** Nothing but what is listed, and nothing listed that is not so any more. */
function assertListed(found: readonly string[], reasons: Readonly<Record<string, string>>): void {
  assert.equal(
    found.filter((each) => !(each in reasons)),
    [],
    "is new",
  );
  assert.equal(
    Object.keys(reasons).filter((each) => !found.includes(each)),
    [],
    "is listed without need",
  );
}

// Files of other projects, as they call them.
const elsewhere = /^(keras|torch|tfjs-core|skimage|Lib|tests\/attr)\/|^(models\/_meta|image|quantization)\.py$/;

const tracked = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard"], {
  cwd: root,
  encoding: "utf8",
}).split("\n");

/** The comments of a source, or all of a document. */
function proseOf(file: string): string[] {
  const text = readFileSync(join(root, file), "utf8");
  if (file.endsWith(".md")) return [text];
  const comments = file.endsWith(".py") ? /#.*|"""[\s\S]*?"""/g : /\/\*[\s\S]*?\*\/|(?<=^|\s)\/\/.*/g;
  return text.match(comments) ?? [];
}

suite("house", (test) => {
  test(`functions have at most ${longestFunction} lines, but for those with a reason`, () => {
    const over = product.flatMap(functionsOf).filter(({ lines }) => lines > longestFunction);
    assertListed(
      over.map(({ file, name }) => `${file} ${name}`),
      longFunctions,
    );
    assert.ok(Object.keys(longFunctions).length <= 5);
  });

  test(`files have at most ${longestFile} lines, but for those with a reason`, () => {
    const found = product.filter((file) => readFileSync(join(root, file), "utf8").split("\n").length - 1 > longestFile);
    assertListed(found, longFiles);
  });

  test("six lines stand once, but for those with a reason", () => {
    assertListed(
      duplicatesAmong(product).map(({ files }) => files),
      twice,
    );
    assert.ok(Object.keys(twice).length <= 10);
  });

  test("a missing value becomes 0, 1 or empty only where it may be missing", () => {
    const silent = /(\S+) \?\? (?:-?[01]\b(?![.\d ]* \/)|""|\[\]|\{\})/g;
    const found = sourceFiles("engine").flatMap((file) => {
      const code = readFileSync(join(root, file), "utf8").replace(/\/\*[\s\S]*?\*\/|\/\/ .*/g, "");
      return [...code.matchAll(silent)].map(([, what = ""]) => `${file} ${what.replace(/^[.([]+/, "")}`);
    });
    assertListed([...new Set(found)], maybeMissing);
  });

  test("silent defaults become fewer, room by room", () => {
    const found: Record<string, number> = {};
    for (const room of Object.keys(silentDefaults)) found[room] = 0;
    for (const file of product) {
      const room = file.slice(0, file.indexOf("/"));
      if (!(room in found)) continue;
      const text = readFileSync(join(root, file), "utf8");
      const count = text.match(/\?\? (?:0|""|\[\])(?![\w.])/g)?.length ?? 0;
      found[room] = (found[room] ?? Number.NaN) + count;
    }
    const more = Object.entries(found).filter(([room, count]) => !(count <= (silentDefaults[room] ?? -1)));
    assert.equal(more, [], "ask by mustHave, or say the default where the option is read");
    const fewer = Object.entries(found).filter(([room, count]) => count < (silentDefaults[room] ?? 0));
    assert.equal(fewer, [], "lower the number in this file");
  });

  test("errors are told apart by class and field, never by their words", () => {
    const byWords =
      /\.(message|reason|stack)\s*\.(includes|match|startsWith|endsWith|search|indexOf)\(|\.(test|exec)\([^)]*\.?(message|[rR]eason)\)/;
    assert.equal(
      product.filter((file) => byWords.test(readFileSync(join(root, file), "utf8"))),
      [],
    );
  });

  test("no comment and no document names a source that is not here", () => {
    const ends = new Set(tracked.flatMap((file) => file.split("/").map((_, i, parts) => parts.slice(i).join("/"))));
    const sources = tracked.filter((file) => /\.(ts|tsx|mjs|py|md|yml)$/.test(file) && existsSync(join(root, file)));
    const named = /(?<![\w:/.@-])(?:\.{0,2}\/)?(?:[\w.-]+\/)*[\w-]+(?:\.test)?\.(?:ts|tsx|mjs|py|md|wat|sh)\b/g;
    const missing: string[] = [];
    for (const file of sources) {
      if (/^test\/(golden|fixtures\/weights)\//.test(file)) continue;
      for (const [path] of proseOf(file).flatMap((prose) => [...prose.matchAll(named)])) {
        const isHere = ends.has(path.replace(/^\.\//, "")) || tracked.includes(posix.join(posix.dirname(file), path));
        if (!isHere && !/^(build|\.\.\/shared)\//.test(path) && !elsewhere.test(path)) missing.push(`${file}: ${path}`);
      }
    }
    assert.equal(missing, []);
  });

  test("folders and files have names in small letters, joined by hyphens", () => {
    const wrong = product.filter(
      (file) => !/^(?:[a-z0-9]+(?:-[a-z0-9]+)*\/)+[a-z0-9]+(?:[-_.][a-z0-9]+)*\.tsx?$/.test(file),
    );
    assert.equal(wrong, []);
  });

  test("a word has one meaning in names: no utils, helpers, misc, common things", () => {
    const vague = /(^|[/-])(utils?|helpers?|misc|stuff|manager|shared-code|lib)([-./]|$)/;
    assert.equal(
      product.filter((file) => vague.test(file)),
      [],
    );
  });
});
