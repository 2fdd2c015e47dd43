import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { root } from "../support/paths.ts";
import { srmap } from "../support/run-cli.ts";
import { suite } from "../support/suite.ts";

// The lines of Python by which README reads a run, taken from README and run. The Python is that in SRMAP_PYTHON, or python3.

const python = process.env["SRMAP_PYTHON"] || "python3";
const readme = readFileSync(join(root, "README.md"), "utf8");
const lines = (/```python\n([\s\S]*?)```/.exec(readme)?.[1] ?? "")
  .trim()
  .split("\n")
  .map((line) => line.replace(/\s+#.*$/, ""));

/** Runs a program of Python in a folder; undefined where there is no Python. */
function runPython(program: string, cwd: string, input: string): string | undefined {
  const { status, stdout, stderr } = spawnSync(python, ["-c", program], { cwd, input, encoding: "utf8" });
  if (status === null) return undefined;
  assert.is(status, 0, stderr);
  return stdout;
}

const modules = ["json", "numpy", "pandas", "zarr"];
const found = runPython(
  "import importlib.util, json, sys; print(json.dumps([m for m in json.load(sys.stdin) if importlib.util.find_spec(m)]))",
  root,
  JSON.stringify(modules),
);
const there = found === undefined ? [] : (JSON.parse(found) as string[]); // printed by the line above

// What a value is in words that Node can compare: arrays by their shape, type and bytes, tables by their columns and first column.
const program = `
import importlib, json, sys, hashlib
def told(value):
    kind = type(value).__module__.split(".")[0]
    if kind == "pandas": return {"columns": list(value.columns), "photo": list(value["photo"])}
    if kind == "numpy" and value.dtype.kind == "f":
        return {"shape": list(value.shape), "dtype": value.dtype.str, "sha256": hashlib.sha256(value.tobytes()).hexdigest()}
    return [str(each) for each in value] if isinstance(value, list) else value
task = json.load(sys.stdin)
scope = {name: importlib.import_module(name) for name in task["modules"]}
print(json.dumps([told(eval(line, scope)) for line in task["lines"]]))
`;

const folder = mkdtempSync(join(tmpdir(), "srmap-python-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
const names = ["cat.jpg", "coffee.jpg"];

/** A run of two photos, in \`maps\` of the folder; made once. */
async function makeRun(): Promise<void> {
  mkdirSync(join(folder, "photos"), { recursive: true });
  for (const name of names) cpSync(join(root, "examples", name), join(folder, "photos", name));
  const options = ["--model", "alexnet-mini", "--sr", "workSize=40", "--write", "npy,json,zarr"];
  const run = await srmap("explain", join(folder, "photos"), "--out", join(folder, "maps"), ...options);
  assert.is(run.code, 0, run.err);
}
let made: Promise<void> | undefined;

interface Report {
  readonly target: unknown;
  readonly arrays: Readonly<Record<string, { readonly shape: readonly number[]; readonly sha256: string }>>;
}

function report(): Report {
  return JSON.parse(readFileSync(join(folder, "maps/cat.jpg/explanation.json"), "utf8")) as Report; // written by explain
}

/** What each line has to give, as Node reads the same files. */
const expected: Readonly<Record<string, () => unknown>> = {
  'pandas.read_csv("maps/index.csv")': () => ({
    columns: readFileSync(join(folder, "maps/index.csv"), "utf8").split("\n")[0]?.split(","),
    photo: names,
  }),
  'pandas.read_json("maps/index.jsonl", lines=True)': () => ({
    columns: [
      ...new Set(
        readFileSync(join(folder, "maps/index.jsonl"), "utf8")
          .trim()
          .split("\n")
          .flatMap((row) => Object.keys(JSON.parse(row))),
      ),
    ],
    photo: names,
  }),
  'json.load(open("maps/cat.jpg/explanation.json"))["target"]': () => report().target,
  'numpy.load("maps/cat.jpg/relevance.npy")': () => ({ ...arrayOf(), dtype: "<f4" }),
  'zarr.open("maps/run.zarr", mode="r")["relevance"][0]': () => ({ ...arrayOf(), dtype: "<f4" }),
  'list(zarr.open("maps/run.zarr", mode="r")["photo"][:])': () => names,
};

function arrayOf(): { shape: readonly number[] | undefined; sha256: string | undefined } {
  const array = report().arrays["relevance.npy"];
  return { shape: array?.shape, sha256: array?.sha256 };
}

suite("python", (test) => {
  test("README has lines to read every kind of result", () => {
    assert.equal(lines, Object.keys(expected));
  });

  for (const line of lines) {
    const needed = modules.filter((name) => new RegExp(`(^|\\()${name}\\.`).test(line));
    const missing = needed.filter((name) => !there.includes(name));
    const what = `${python} with ${missing.join(", ")}`;
    test.needsProgram(missing.length === 0 ? python : undefined, what, line, async () => {
      made ??= makeRun();
      await made;
      const out = runPython(program, folder, JSON.stringify({ lines: [line], modules: needed }));
      assert.equal(JSON.parse(out ?? ""), [expected[line]?.()]);
    });
  }
});
