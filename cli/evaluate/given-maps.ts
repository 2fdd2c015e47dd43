import { existsSync, statSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { formatShape } from "../../engine/basics/tensor.ts";
import { absoluteMap } from "../../evaluation/index.ts";
import { parseMap } from "../inputs/map.ts";
import { CommandError, UsageError } from "../terminal/errors.ts";
import type { MapSpec } from "./map-source.ts";

/** Twice float64 with four channels at 4096x4096: no map is larger. */
const maxMapBytes = 2 ** 30;

/**
 * Maps from elsewhere: `npy:FOLDER`, a .npy file for each photo, called like it with or without its ending.
 * [H,W] counts as it is, [C,H,W] as the sum over the channels of |R|; H and W are those of the network's input.
 * @throws UsageError where there is no such folder
 */
export function givenMaps(name: string, folder: string): MapSpec {
  if (!existsSync(folder) || !statSync(folder).isDirectory()) {
    throw new UsageError(`--maps ${name}: there is no folder "${folder}".`);
  }
  return {
    name,
    what: `from elsewhere: the .npy files of ${basename(folder)}`,
    isGiven: true,
    async make({ file, width, height }) {
      const stem = file.replace(/\.[^.]*$/, "");
      const path = [`${file}.npy`, `${stem}.npy`].map((each) => join(folder, each)).find((each) => existsSync(each));
      if (path === undefined) throw new CommandError(`there is no ${stem}.npy.`);
      if (statSync(path).size > maxMapBytes) throw new CommandError(`${stem}.npy is too large for a map.`);
      const { shape, data } = parseMap(await readFile(path), `${stem}.npy`);
      const [channels = 0, rows = 0, columns = 0] = [1, 1, ...shape].slice(-3);
      const isMap = shape.length >= 2 && shape.length <= 4 && channels * rows * columns === data.length;
      if (!isMap || rows !== height || columns !== width) {
        throw new CommandError(`${stem}.npy must be a map of ${height}x${width} pixels, got ${formatShape(shape)}.`);
      }
      return channels === 1 ? Float64Array.from(data) : absoluteMap({ shape: [channels, rows, columns], data });
    },
  };
}
