/** What became of one file of a network. */
export interface FoundFile {
  /** Why the exporter made none; why srmap refused it; how srmap broke. */
  readonly notExported?: string;
  readonly refused?: string;
  readonly failed?: string;
  /** Largest difference of a logit from PyTorch in float64, in parts of the largest logit. */
  readonly logits?: number;
  /** The same of onnxruntime, running the same file: exporters fold batch norms in float32. */
  readonly runtime?: number;
  /** Largest share of relevance that a layer's account leaves unexplained. */
  readonly ledger?: number;
  readonly forwardMs?: number;
  readonly megabytes?: number;
  /** Relative L2 from PyTorch's gradient x input in float64: `gradientTimesInput`; `lrp0` of piecewise linear networks; PyTorch float32's own. */
  readonly gradient?: number;
  readonly lrp0?: number;
  /** `gradientTimesInput` without Winograd's algorithm, where near-ties made the other one large. */
  readonly direct?: number;
  readonly roughGradient?: number;
  /** Relative L2 of `epsilonPlus` from zennit's in float64, and that of zennit in float32. */
  readonly zennit?: number;
  readonly roughZennit?: number;
}

/** What became of a network. */
export interface Found {
  readonly name: string;
  readonly tolerance: number;
  /** Why the tolerance is not 1e-5. */
  readonly reason: string;
  /** Why zennit cannot be asked. */
  readonly notZennit?: string;
  /** PyTorch float32's own distance of logits from float64. */
  readonly single: number;
  readonly exports: Readonly<Record<string, FoundFile>>;
}

/** What make-networks.py could not make at all. */
interface Broken {
  readonly name: string;
  readonly broken: string;
}

const short = (value: number | undefined): string => (value === undefined ? "" : value.toExponential(1));

/** A refusal's own line, without the file's name. */
function reasonOf(message: string): string {
  const lines = message.split("\n");
  const line = (lines.length > 1 ? lines[1] : lines[0]) ?? message;
  return line
    .replace(/^weights "[^"]*": /, "")
    .trim()
    .replaceAll("|", "/");
}

/** Whether a file's numbers agree with PyTorch's. */
function agrees({ logits, ledger, runtime = 0 }: FoundFile, { tolerance, single }: Found): boolean {
  return logits !== undefined && logits <= Math.max(tolerance, 2 * single, 2 * runtime) && (ledger ?? 1) <= 1e-3;
}

const exporters = ["TorchScript", "dynamo"];

function rowOf(found: Found): string {
  const files = exporters.map((kind) => found.exports[kind] ?? {});
  const of = (read: (file: FoundFile) => string): string => {
    const [one = "", two = ""] = files.map(read);
    return one === two ? one : `${one || "–"}, ${two || "–"}`;
  };
  const [some] = files.filter(({ logits }) => logits !== undefined);
  const distances = ({ lrp0, gradient, direct }: FoundFile): string => {
    const own = lrp0 === undefined ? gradient : lrp0;
    if (own === undefined) return "";
    const value = direct === undefined ? short(own) : `${short(own)} [${short(direct)}]`;
    return lrp0 === undefined ? `(${value})` : value;
  };
  const cells = [
    of(({ logits }) => short(logits)),
    short(found.single),
    of(({ runtime }) => short(runtime)),
    of(({ ledger }) => ledger?.toExponential(0) ?? ""),
    some?.zennit === undefined ? "" : `${short(some.zennit)} (${short(some.roughZennit)})`,
    of(distances),
    short(some?.roughGradient),
    some?.megabytes?.toFixed(0) ?? "",
  ];
  return `| ${found.name} | ${cells.join(" | ")} |`;
}

/** The tables of docs/networks.md. */
export function tables(all: readonly (Found | Broken)[]): string {
  const made = all.filter((each): each is Found => !("broken" in each));
  const filesOf = (found: Found): [string, FoundFile][] => Object.entries(found.exports);
  const tried = made.filter((found) => filesOf(found).some(([, file]) => file.notExported === undefined));
  const explained = tried.filter((found) =>
    filesOf(found).every(([, file]) => file.notExported !== undefined || agrees(file, found)),
  );
  const others = tried.filter((found) => !explained.includes(found));
  const lines = [
    `${explained.length} of ${tried.length} networks are explained, from every file that PyTorch's exporters make of them.`,
    "",
    "| network | logits | PyTorch float32 | onnxruntime | ledger | zennit | gradient x input | PyTorch float32 | memory, MB |",
    "|---|---|---|---|---|---|---|---|---|",
    ...explained.map(rowOf),
    "",
    "| network | file | refused, because |",
    "|---|---|---|",
    ...others.flatMap((found) =>
      filesOf(found).flatMap(([kind, file]) => {
        if (file.notExported !== undefined || agrees(file, found)) return [];
        const why = file.refused ?? file.failed ?? `logits ${short(file.logits)}, ledger ${short(file.ledger)}`;
        return [`| ${found.name} | ${kind} | ${reasonOf(why)} |`];
      }),
    ),
    "",
  ];
  return lines.join("\n");
}
