// For AssemblyScript's compiler: functions that the sources ask to be put into each of their callers are called instead, for size. But
// for those of the saliency search: they are 0.1 kB, and an explanation without takes 1.6 times as long.
import { Transform } from "assemblyscript/transform";

const isInline = (decorator) => decorator.name.text === "inline";

// biome-ignore lint/style/noDefaultExport: the compiler takes no other
export default class extends Transform {
  afterParse(parser) {
    for (const { isLibrary, normalizedPath, statements } of parser.sources) {
      if (isLibrary || normalizedPath.startsWith("kernels-as/salient/")) continue;
      for (const statement of statements) {
        if (statement.decorators) statement.decorators = statement.decorators.filter((each) => !isInline(each));
      }
    }
  }
}
