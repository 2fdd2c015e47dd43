import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, symlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import { root } from "./paths.ts";

/**
 * Installs this package in a project as users get it: packed and unpacked for real, dependencies linked.
 * @param project an empty folder; the package is in its node_modules/srmap afterwards
 */
export function installPacked(project: string): void {
  const { version, dependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
    version: string;
    dependencies: Record<string, string>;
  };
  const packed = join(project, "node_modules/srmap");
  mkdirSync(packed, { recursive: true });
  execFileSync(process.execPath, [join(root, "package/declarations.mjs")]); // done already after `npm run build`
  const npm = process.platform === "win32" ? "npm.cmd" : "npm";
  // Without scripts: the build that is tested is the build that is packed.
  execFileSync(npm, ["pack", "--ignore-scripts", "--pack-destination", project], { cwd: root, stdio: "pipe" });
  execFileSync("tar", ["-xzf", `srmap-${version}.tgz`, "-C", packed, "--strip-components", "1"], { cwd: project });
  for (const name of Object.keys(dependencies)) {
    const link = join(project, "node_modules", name);
    mkdirSync(dirname(link), { recursive: true }); // the scope's folder
    symlinkSync(join(root, "node_modules", name), link, "dir");
  }
}
