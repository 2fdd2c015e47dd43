// Tables that a script writes into a document of this folder, between <!-- NAME --> and <!-- end -->.
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { fileURLToPath } from "node:url";

/** Puts a table into its place, through a temporary file, so that no interruption leaves half a document. */
export function writeTable(document, name, table) {
  const file = fileURLToPath(new URL(document, import.meta.url));
  const text = readFileSync(file, "utf8");
  const [begin, end] = [`<!-- ${name} -->\n`, "\n<!-- end -->"];
  const from = text.indexOf(begin);
  const to = text.indexOf(end, from);
  if (from < 0 || to < 0)
    throw new Error(`docs/${document} has no place "<!-- ${name} -->" to "<!-- end -->" for the table`);
  writeFileSync(`${file}.part`, `${text.slice(0, from + begin.length)}${table}${text.slice(to)}`);
  renameSync(`${file}.part`, file);
}

/** The day, the machine and the command, below a table. */
export function madeBy(command, note = "") {
  return `*${new Date().toISOString().slice(0, 10)}, ${cpus()[0].model}, ${cpus().length} cores${note}; \`${command}\`.*`;
}
