import { spawn } from "node:child_process";
import { writePage } from "../../host/page/files.ts";
import { servePage } from "../../host/page/serve.ts";
import { CommandError, describeError, UsageError } from "../terminal/errors.ts";
import { mostOfPath, shown } from "../terminal/shown.ts";
import type { Command } from "./command.ts";

/** The program that opens an address in the user's browser. */
function opener(): readonly string[] {
  if (process.platform === "darwin") return ["open"];
  return process.platform === "win32" ? ["cmd", "/c", "start", ""] : ["xdg-open"];
}

/** Opens the address in the user's browser, if there is one; the address was printed in any case. */
function showInBrowser(url: string): void {
  const [program = "", ...args] = opener();
  const child = spawn(program, [...args, url], { stdio: "ignore", detached: true });
  child.on("error", () => {});
  child.unref();
}

/** `srmap open`: the page, on this machine or as files. */
export const openPage: Command = {
  summary: "Opens the page: photos and networks explained in the browser",
  usage: "[options]",
  options: {
    port: { value: "N", help: "Port on this machine. Default 4600." },
    "no-browser": { help: "Only print the address." },
    export: {
      value: "DIR",
      help: "Write the page as static files into a new folder instead, to be served from anywhere or opened from disk; NAME.html gets it all in one file.",
    },
  },
  notes: `The page is served to this machine alone and computes everything in the browser;
no photo leaves it. With the headers that this command sends (cross-origin
isolation) it uses several threads; served without them, one.

Example:
  srmap open
  srmap open --export public/srmap
  srmap open --export srmap.html`,

  async run(given, terminal) {
    if (given.positionals.length > 0) throw new UsageError('open takes no arguments. See "srmap help open".');
    const folder = given.value("export");
    if (folder !== undefined) {
      try {
        await writePage(folder);
      } catch (error) {
        throw new CommandError(`page ${folder}: ${describeError(error)}`);
      }
      const what = /\.html?$/i.test(folder)
        ? "open it, or send it to somebody"
        : "open its index.html, or serve it from anywhere";
      terminal.out(`wrote ${shown(folder, mostOfPath)}: ${what}\n`);
      return 0;
    }
    const typed = given.value("port") ?? "4600";
    const port = /^\d+$/.test(typed) ? Number(typed) : Number.NaN;
    if (!(port <= 65535)) throw new UsageError(`--port must be an integer from 0 to 65535, got "${typed}".`);
    const page = await servePage({ port }).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "EADDRINUSE") throw new CommandError(describeError(error));
      throw new CommandError(`port ${port} is taken. Name another with --port, or 0 for any that is free.`);
    });
    terminal.out(`${page.url}  (Ctrl-C ends it)\n`);
    if (!given.has("no-browser")) showInBrowser(page.url);
    await new Promise<void>((resolve) => {
      process.once("SIGINT", resolve);
      process.once("SIGTERM", resolve);
    });
    await page.close();
    return 0;
  },
};
