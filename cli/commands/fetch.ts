import { checkUrl, FetchError, fetchModel } from "../../host/models/download.ts";
import { registeredModels, registeredWeights } from "../../weights-loader/index.ts";
import { CommandError, describeError, UsageError } from "../terminal/errors.ts";
import { createProgress } from "../terminal/progress.ts";
import { mostOfPath, shown } from "../terminal/shown.ts";
import type { Command } from "./command.ts";

/** Steps of the progress bar. */
const steps = 1000;

/** `srmap fetch`: official weights into the cache. */
export const fetch: Command = {
  summary: "Downloads the official weights of a network",
  usage: "NAME [options]",
  options: {
    url: { value: "URL", help: "A mirror: the file's own address or, ending in /, the folder that has it." },
    json: { help: "Print one JSON document instead of text." },
  },
  notes: `NAME is one of ${registeredModels().join(", ")}.

The file goes into SRMAP_CACHE if that is set, else into the platform's folder for
caches. A download that breaks off continues where it ended, also when fetch is
called again. Length and SHA-256 are checked before the file is used; a file that
is there already is checked and kept. This is the only command that touches the
network, but for photos given as URLs. Where the server cannot be reached, the
message says which file to download elsewhere, where to put it, and its SHA-256.

Example:
  srmap fetch vgg16
  srmap explain cat.jpg --model vgg16`,

  async run(given, terminal) {
    const [model, ...more] = given.positionals;
    if (model === undefined || more.length > 0) {
      throw new UsageError(`fetch needs one name: ${registeredModels().join(", ")}. See "srmap help fetch".`);
    }
    const url = given.value("url");
    try {
      registeredWeights(model);
      if (url !== undefined) checkUrl(url);
    } catch (error) {
      throw new UsageError(describeError(error));
    }
    const progress = createProgress(terminal, steps);
    try {
      const fetched = await fetchModel(model, {
        ...(url === undefined ? {} : { url }),
        onProgress: (done, total) => {
          const megabytes = `${(done / 1e6).toFixed(1)} MB`;
          progress.update(total === undefined ? 0 : Math.floor((steps * done) / total), megabytes);
        },
      });
      progress.clear();
      const { path, wasCached } = fetched;
      terminal.out(
        given.has("json")
          ? `${JSON.stringify({ model, ...fetched }, null, 2)}\n`
          : `${model}: ${wasCached ? "is there already" : "fetched"}: ${shown(path, mostOfPath)}\n`,
      );
      return 0;
    } catch (error) {
      progress.clear();
      throw error instanceof FetchError ? error : new CommandError(`${model}: ${describeError(error)}`);
    }
  },
};
