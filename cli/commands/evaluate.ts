import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { preprocessingByName, preprocessingNames } from "../../engine/models/preprocessing.ts";
import { sha256File } from "../../host/files/sha256.ts";
import { loadNetwork } from "../../host/network/load.ts";
import { loadKernels } from "../../host/threads/load-kernels.ts";
import { version } from "../../host/version.ts";
import { chooseModel } from "../choices/model.ts";
import { salientSettingOptions, salientSettings } from "../choices/salient.ts";
import { parseMapSpec } from "../evaluate/maps.ts";
import { type Replacement, replacements } from "../evaluate/metric.ts";
import { metricNamed, metrics } from "../evaluate/metrics.ts";
import { evaluationPage } from "../evaluate/page.ts";
import { randomisedNetworks } from "../evaluate/randomised.ts";
import { annotationsHash, readAnnotations } from "../evaluate/read-annotations.ts";
import { evaluateUnit } from "../evaluate/run.ts";
import { shownPhotos } from "../evaluate/shown-photos.ts";
import { type Cell, type Row, summarizeRows } from "../evaluate/summary.ts";
import { unitsOf } from "../evaluate/units.ts";
import { expandInputs, photoInputs } from "../inputs/expand.ts";
import { tellLeftOut } from "../inputs/left-out.ts";
import { writeFolder } from "../outputs/atomic-write.ts";
import { jsonText } from "../outputs/json-text.ts";
import { outputOption, requireWritable } from "../outputs/outputs.ts";
import type { Arguments } from "../terminal/arguments.ts";
import { asUsage, CommandError, describeError, UsageError } from "../terminal/errors.ts";
import { createProgress } from "../terminal/progress.ts";
import { shown } from "../terminal/shown.ts";
import type { Command } from "./command.ts";

const defaultMaps = "epsilonPlus:|R|,epsilonPlus:blur,epsilonPlus:sr,gaussian,random";
const defaultMetrics = "pointing15,mass,rank";
const journal = "rows.jsonl";

function listOf(name: string, text: string): string[] {
  const entries = text.split(",").map((entry) => entry.trim());
  if (entries.includes("")) throw new UsageError(`--${name} has an empty entry: "${text}".`);
  const twice = entries.find((entry, i) => entries.indexOf(entry) !== i);
  if (twice !== undefined) throw new UsageError(`--${name} has "${twice}" twice.`);
  return entries;
}

function numberOf(given: Arguments, name: string, fallback: number, low: number, high: number): number {
  const text = given.value(name);
  const value = text === undefined ? fallback : Number(text);
  if (value >= low && value <= high) return value;
  throw new UsageError(`--${name} must be a number from ${low} to ${high}, got "${text}".`);
}

function baselineOf(given: Arguments): Replacement | undefined {
  const text = given.value("baseline");
  const found = replacements.find((kind) => kind === text);
  if (text === undefined || found !== undefined) return found;
  throw new UsageError(`--baseline must be one of ${replacements.join(", ")}, got "${text}".`);
}

const keyOf = (photo: string, label: string): string => JSON.stringify([photo, label]);

/** What an earlier run of the same settings left. A line that was cut short is made again. */
function readJournal(path: string, header: string): Map<string, Row | null> {
  const rows = new Map<string, Row | null>();
  if (!existsSync(path)) return rows;
  const [first, ...lines] = readFileSync(path, "utf8").split("\n");
  if (first !== header) return rows;
  for (const line of lines) {
    try {
      const [key, row] = JSON.parse(line) as [string, Row | null];
      rows.set(key, row);
    } catch {
      // The last line of a run that was killed.
    }
  }
  return rows;
}

function csvOf(rows: readonly Row[], maps: readonly string[], names: readonly string[]): string {
  const quoted = (text: string): string => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  const lines = rows.flatMap((row) =>
    maps.map((map) =>
      [
        quoted(row.photo),
        quoted(row.label),
        row.area,
        quoted(map),
        ...names.map((name) => row.maps[map]?.[name]?.value ?? ""),
      ].join(","),
    ),
  );
  return `${[["photo", "class", "area", "map", ...names].join(","), ...lines].join("\n")}\n`;
}

function tableText(cells: readonly Cell[], maps: readonly string[], names: readonly string[]): string {
  const width = Math.max(...maps.map((map) => map.length)) + 2;
  const digits = (value: number): string => (Number.isNaN(value) ? "none" : value.toFixed(3)).padStart(12);
  const lines = maps.map(
    (map) =>
      `${map.padEnd(width)}${names.map((name) => digits(cells.find((cell) => cell.map === map && cell.metric === name)?.interval.mean ?? Number.NaN)).join("")}`,
  );
  return `${"".padEnd(width)}${names.map((name) => name.padStart(12)).join("")}\n${lines.join("\n")}\n`;
}

/** `srmap evaluate`: are the maps any good. */
export const evaluate: Command = {
  summary: "Measures maps against annotated photos: which of them to believe",
  usage: "PHOTO... --annotations FILE [--maps LIST] [--metrics LIST]",
  options: {
    annotations: {
      value: "PATH",
      short: "a",
      help: "Where the objects are: COCO's JSON, or a folder of Pascal VOC's XML, YOLO's text or masks (PNG).",
    },
    maps: {
      value: "LIST",
      help: `Maps: COMPOSITE[:KIND] with KIND |R|, pos, blur, blur=SIGMA, sr, sr*blur; gradcam, gradcam++, layercam, each [@LAYER]; ig, smoothgrad, occlusion, rise; gaussian and random; npy:FOLDER, a .npy file for each photo. Default ${defaultMaps}.`,
    },
    metrics: { value: "LIST", help: `Metrics: ${Object.keys(metrics).join(", ")}. Default ${defaultMetrics}.` },
    against: { value: "MAP", help: "The map that the others are compared with, photo by photo. Default the first." },
    model: { value: "NAME", short: "m", help: "The network." },
    weights: { value: "FILE", short: "w", help: "Its weights." },
    preprocess: { value: "NAME", help: `How photos are prepared: ${preprocessingNames().join(", ")}.` },
    whole: { help: "Squash the whole photo to the network's input instead of cropping it." },
    "max-area": { value: "SHARE", help: "Leave out photos of which the objects cover more. Default 1." },
    limit: { value: "N", help: "Only the first N photos." },
    pictures: { value: "N", help: "How many of the best and of the worst photos the page shows. Default 10." },
    budget: { value: "STEPS", help: "Forward passes of a perturbation curve. Default 50." },
    baseline: {
      value: "KIND",
      help: `What replaces pixels: ${replacements.join(", ")} (imputed; deletion, lerf and aopc alone). Default what each metric says.`,
    },
    seed: { value: "N", help: "Seed of everything random. Default 1." },
    threads: { value: "N", help: "Threads of the kernels. Default 1." },
    ...salientSettingOptions,
    ...outputOption,
  },
  notes: `The class of the annotated object is explained, whatever the network says. A photo
with objects of several classes counts once for each. Boxes follow the photo
through resize and crop; an object that is cropped away is left out and counted.

Writes evaluation.json, evaluation.csv and report.html, one file that opens
without a server. A run that was stopped goes on where it was when it is started
again with the same settings and --out.

Example:
  srmap evaluate photos --annotations instances.json --maps epsilonPlus,epsilonPlus:sr,gradcam`,

  async run(given, terminal) {
    if (given.positionals.length === 0) {
      throw new UsageError(
        'evaluate needs photos: srmap evaluate PHOTO... --annotations FILE. See "srmap help evaluate".',
      );
    }
    const annotationsPath = given.value("annotations");
    if (annotationsPath === undefined)
      throw new UsageError("evaluate needs --annotations FILE: where the objects are.");
    const maps = listOf("maps", given.value("maps") ?? defaultMaps).map(parseMapSpec);
    const names = listOf("metrics", given.value("metrics") ?? defaultMetrics);
    for (const name of names) metricNamed(name);
    const mapNames = maps.map(({ name }) => name);
    const against = given.value("against") ?? mapNames[0] ?? "";
    if (!mapNames.includes(against)) throw new UsageError(`--against must be one of --maps, got "${against}".`);
    const seed = numberOf(given, "seed", 1, 0, 2 ** 31);
    const steps = numberOf(given, "budget", 50, 1, 1000);
    const baseline = baselineOf(given);
    const pictures = numberOf(given, "pictures", 10, 0, 1000);
    const maxArea = numberOf(given, "max-area", 1, 0, 1);
    const limit = numberOf(given, "limit", Number.MAX_SAFE_INTEGER, 1, Number.MAX_SAFE_INTEGER);
    const threads = numberOf(given, "threads", 1, 1, 64);
    const preprocess = given.value("preprocess");
    if (preprocess !== undefined) asUsage(() => preprocessingByName(preprocess));
    const settings = salientSettings(given);
    const out = given.value("out") ?? "srmap-evaluation";
    const choice = await chooseModel(given.value("model"), given.value("weights"));
    const annotations = await readAnnotations(annotationsPath);
    const inputs = await expandInputs(given.positionals, photoInputs);
    tellLeftOut(inputs, photoInputs, terminal);
    requireWritable(out);

    const kernels = await loadKernels(threads > 1 ? { threads } : {});
    try {
      const network = await loadNetwork(choice.model, choice.weights, {
        kernels,
        ...(preprocess === undefined ? {} : { preprocess }),
      });
      const failed: string[] = [];
      const paths: string[] = [];
      for (const input of inputs.inputs.slice(0, limit)) {
        if (input.error === undefined) paths.push(input.path);
        else failed.push(`${basename(input.path)}: ${input.error}`);
      }
      const { units, leftOut } = unitsOf(paths, annotations, network.definition);
      if (units.length === 0) {
        throw new CommandError(`none of the ${paths.length} photos is in the annotations ${annotationsPath}.`);
      }
      const isWhole = given.has("whole");
      const randomised = randomisedNetworks(network, choice, seed);
      const common = { network, maps, metrics: names, settings, seed };
      const shared = { ...common, steps, baseline, randomised, isWhole, maxArea };
      const facts = {
        srmap: version,
        model: network.definition.name,
        weights: { file: basename(choice.weights), sha256: await sha256File(choice.weights) },
        annotations: { file: basename(annotationsPath), sha256: await annotationsHash(annotationsPath, annotations) },
        maps: mapNames,
        metrics: names,
        ...{ settings, seed, steps, baseline: baseline ?? null, isWhole, maxArea },
        preprocess: preprocess ?? null,
      };
      const header = JSON.stringify(facts);
      mkdirSync(out, { recursive: true });
      const journalPath = join(out, journal);
      const known = readJournal(journalPath, header);
      // Rewritten whole: a line that was cut short would spoil the next one.
      writeFileSync(journalPath, `${[header, ...[...known].map((entry) => JSON.stringify(entry))].join("\n")}\n`);
      const progress = createProgress(terminal, units.length);
      const started = performance.now();
      let done = 0;
      for (const [i, unit] of units.entries()) {
        const key = keyOf(unit.file, unit.label);
        if (known.has(key)) continue;
        const perPhoto = (performance.now() - started) / Math.max(1, done);
        const rest = done === 0 ? "" : `${Math.ceil(((units.length - i) * perPhoto) / 1000)} s left, `;
        progress.update(i, rest + unit.file);
        try {
          const row = (await evaluateUnit(unit, shared)) ?? null;
          known.set(key, row);
          appendFileSync(journalPath, `${JSON.stringify([key, row])}\n`);
        } catch (error) {
          progress.clear();
          terminal.err(`${shown(unit.file)}: ${describeError(error)}\n`);
          failed.push(`${unit.file}: ${describeError(error)}`);
        }
        done++;
      }
      progress.clear();
      const rows = units.flatMap(({ file, label }) => known.get(keyOf(file, label)) ?? []);
      if (rows.length === 0)
        throw new CommandError("no photo is left to evaluate: see the sentences above and --max-area.");
      const tooLarge = units.filter(({ file, label }) => known.get(keyOf(file, label)) === null).length;
      if (tooLarge > 0) leftOut.push(`${tooLarge} photos: their objects cover more than ${maxArea} of the input.`);
      const cropped = rows.reduce((sum, row) => sum + row.croppedAway, 0);
      if (cropped > 0) leftOut.push(`${cropped} objects were cropped away.`);
      leftOut.push(...rows.flatMap(({ notes }) => notes ?? []), ...failed);

      const cells = summarizeRows(rows, mapNames, names, against, seed);
      const judgedBy = names.find((name) => name === "mass") ?? names[0] ?? "";
      const sign = metricNamed(judgedBy).isMoreBetter ? 1 : -1;
      const scoreOf = (row: Row): number => row.maps[against]?.[judgedBy]?.value ?? Number.NaN;
      const ordered = rows
        .filter((row) => !Number.isNaN(scoreOf(row)))
        .sort((a, b) => sign * (scoreOf(b) - scoreOf(a)));
      const many = Math.min(pictures, Math.floor(ordered.length / 2));
      const drawn = maps.filter(({ name, isSlow }) => isSlow !== true || name === against);
      const page = evaluationPage({
        title: `${network.definition.name}: ${mapNames.length} maps on ${rows.length} photos`,
        facts: [
          `${isWhole ? "Whole photos, squashed" : "Photos resized and cropped as the network's weights expect"}; weights ${facts.weights.file}; annotations ${facts.annotations.file}; seed ${seed}; srmap ${version}.`,
        ],
        cells,
        help: new Map(Object.entries(metrics)),
        against,
        judgedBy,
        best: await shownPhotos(ordered.slice(0, many), units, drawn, judgedBy, shared),
        worst: await shownPhotos(ordered.slice(ordered.length - many).reverse(), units, drawn, judgedBy, shared),
        leftOut,
      });
      const document = { ...facts, against, photos: rows.length, leftOut, summary: cells, rows };
      const text = (content: string): Uint8Array => new TextEncoder().encode(content);
      await writeFolder(
        out,
        new Map([
          ["report.html", text(page)],
          ["evaluation.csv", text(csvOf(rows, mapNames, names))],
          ["evaluation.json", text(`${jsonText(document)}\n`)],
        ]),
      );
      terminal.out(
        `${tableText(cells, mapNames, names)}${rows.length} photos; wrote ${join(out, "report.html")}, evaluation.csv, evaluation.json\n`,
      );
      if (leftOut.length > 0) terminal.out(`left out: ${leftOut.length} notes, see evaluation.json\n`);
      return failed.length > 0 ? 1 : 0;
    } finally {
      await kernels.close();
    }
  },
};
