// For AssemblyScript's compiler: every function once, also those that the sources ask to be put into each of their callers for speed.
import { Transform } from "assemblyscript/transform";

const isInline = (decorator) => decorator.name.text === "inline";

// biome-ignore lint/style/noDefaultExport: the compiler takes no other
export default class extends Transform {
  afterParse(parser) {
    for (const { isLibrary, statements } of parser.sources) {
      if (isLibrary) continue;
      for (const statement of statements) {
        if (statement.decorators) statement.decorators = statement.decorators.filter((each) => !isInline(each));
      }
    }
  }
}
