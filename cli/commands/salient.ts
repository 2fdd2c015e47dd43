import { basename, join } from "node:path";
import { ShapeError } from "../../engine/basics/errors.ts";
import { formatShape, type Tensor } from "../../engine/basics/tensor.ts";
import { heatmap, overlay } from "../../engine/picture/heatmap.ts";
import type { Image } from "../../engine/picture/image.ts";
import { salientRelevance } from "../../engine/salient/salient-relevance.ts";
import { decodeAnyImage } from "../../host/photos/decode.ts";
import { readPhotoBytes } from "../../host/photos/read.ts";
import { loadKernels } from "../../host/threads/load-kernels.ts";
import { version } from "../../host/version.ts";
import { writeNpy } from "../../weights-loader/numpy/npy.ts";
import { salientSettingOptions, salientSettings } from "../choices/salient.ts";
import { encodePng } from "../drawing/png.ts";
import { runBatch } from "../inputs/batch.ts";
import { expandInputs, mapInputs } from "../inputs/expand.ts";
import { tellLeftOut } from "../inputs/left-out.ts";
import { parseMap } from "../inputs/map.ts";
import { writeFolder } from "../outputs/atomic-write.ts";
import { sha256 } from "../outputs/hash.ts";
import { defaultFolder, outputOption, relevanceColors, requireWritable, saliencyColors } from "../outputs/outputs.ts";
import { CommandError, describeError, UsageError } from "../terminal/errors.ts";
import { mostOfPath, shown } from "../terminal/shown.ts";
import type { Command } from "./command.ts";

/** What `srmap salient` reports for a map. */
interface SalientResult {
  readonly folder: string;
  readonly files: readonly string[];
}

async function readPhoto(path: string): Promise<Image> {
  try {
    return await decodeAnyImage(await readPhotoBytes(path));
  } catch (error) {
    throw new CommandError(`photo ${path}: ${describeError(error)}`);
  }
}

/** [H,W,3] would be read as H channels of W x 3 pixels: numbers that look fine and mean nothing. */
function refuseChannelsLast({ shape }: Tensor): void {
  const [channels = 0, , last = 0] = shape;
  if (shape.length === 3 && channels > 4 && last <= 4) {
    throw new ShapeError(
      `map must be [C,H,W] or [H,W], got ${formatShape(shape)}, which looks like [H,W,C]. Save map.transpose(2, 0, 1) instead.`,
    );
  }
}

/** `srmap salient`: the Salient Relevance step on attribution maps from anywhere. */
export const salient: Command = {
  summary: "Turns attribution maps (.npy) from any tool into Salient Relevance maps",
  usage: "MAP.npy... [options]",
  options: {
    ...outputOption,
    photo: { value: "FILE", help: "The photo as the network saw it, of the map's size: writes overlay.png as well." },
    ...salientSettingOptions,
    json: { help: "Print one JSON document instead of text." },
  },
  notes: `MAP.npy holds the attribution (relevance, gradient, ...) of one photo: float32
or float64, [C,H,W] or [H,W]. Only its absolute values count. Folders and
patterns may be given as well; several maps get a folder each.

Writes salient-relevance.npy [H,W] with values from 0 to 1,
salient-relevance.png, relevance.png (the given map in colours) and
salient-relevance.json (settings, versions, checksums).

Example:
  srmap salient zennit-relevance.npy --photo cat-224.png --out cat`,

  async run(given, terminal) {
    if (given.positionals.length === 0) {
      throw new UsageError('salient needs a map: srmap salient MAP.npy. See "srmap help salient".');
    }
    const settings = salientSettings(given);
    const out = given.value("out") ?? defaultFolder;
    const inputs = await expandInputs(given.positionals, mapInputs);
    tellLeftOut(inputs, mapInputs, terminal);
    requireWritable(out);
    const photoPath = given.value("photo");
    const photo = photoPath === undefined ? undefined : await readPhoto(photoPath);
    const kernels = await loadKernels();
    const isJson = given.has("json");

    const outcomes = await runBatch<SalientResult>(
      inputs,
      {
        noun: "map",
        isQuiet: isJson,
        describe: (path, { folder, files }) =>
          `${shown(path, mostOfPath)}\n  wrote ${join(folder, "")}: ${files.join(", ")}\n`,
        async work(path, own) {
          const bytes = await readPhotoBytes(path);
          const map = parseMap(bytes, basename(path));
          refuseChannelsLast(map);
          const { map: sr, options } = salientRelevance(kernels, map, settings);
          const npy = writeNpy(sr);
          const relevance = heatmap(
            map.shape.length === 4 ? { ...map, shape: map.shape.slice(1) } : map,
            relevanceColors,
          );
          const files = new Map<string, Uint8Array>([
            ["salient-relevance.npy", npy],
            ["salient-relevance.png", encodePng(heatmap(sr, saliencyColors).image)],
            ["relevance.png", encodePng(relevance.image)],
          ]);
          if (photo !== undefined) files.set("overlay.png", encodePng(overlay(photo, sr)));
          const report = {
            srmap: version,
            map: { file: basename(path), sha256: sha256(bytes), shape: map.shape },
            settings: options,
            arrays: { "salient-relevance.npy": { shape: sr.shape, sha256: sha256(sr.data) } },
          };
          files.set("salient-relevance.json", new TextEncoder().encode(`${JSON.stringify(report, null, 2)}\n`));
          const folder = own === undefined ? out : join(out, own);
          await writeFolder(folder, files);
          return { folder, files: [...files.keys()] };
        },
      },
      terminal,
    );
    if (isJson) {
      const maps = outcomes.map(({ path, result, error }) =>
        error === undefined ? { map: path, ...result } : { map: path, error },
      );
      terminal.out(`${JSON.stringify({ srmap: version, maps }, null, 2)}\n`);
    }
    return outcomes.some(({ error }) => error !== undefined) ? 1 : 0;
  },
};
