import { FormatError } from "../../engine/basics/errors.ts";

/** A protobuf message whose fields are known by name; every field may occur several times. */
export type Message = ReadonlyMap<string, readonly MessageValue[]>;

/** A field's value: a number, text (also the names of enums, and `true` and `false` in text files), or a message. */
export type MessageValue = number | string | Message;

/** Longest text that is read; GoogLeNet's has 40 kB. */
const maximumTextLength = 4 << 20;
/** A network's text has four levels. */
const maximumDepth = 16;

/** A name, number, text in quotes, or one of the signs; comments and white space stand before it. */
const token =
  /(?:\s+|#[^\n]*)*(?:([A-Za-z_][\w.]*)|([-+]?(?:\d[\w.+-]*|\.\d[\w+-]*|inf|nan))|"((?:[^"\\\n]|\\.)*)"|'((?:[^'\\\n]|\\.)*)'|([{}:<>;,[\]]))/y;

const escapes: Readonly<Record<string, string>> = { a: "\x07", b: "\b", f: "\f", n: "\n", r: "\r", t: "\t", v: "\v" };

/** Text without its backslashes: \n, \x63, \143 and their kind. */
function unescaped(text: string): string {
  return text.replace(/\\(?:([0-7]{1,3})|x([0-9A-Fa-f]{1,2})|(.))/g, (_, octal?: string, hex?: string, sign = "") => {
    if (octal !== undefined) return String.fromCharCode(Number.parseInt(octal, 8) & 255);
    if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex, 16));
    return escapes[sign] ?? sign;
  });
}

/** A text file's characters: UTF-8, or UTF-16 where it begins with a byte order mark, as Windows' editors write it. */
export function decodeText(bytes: Uint8Array): string {
  const [first, second] = bytes;
  if (first === 0xff && second === 0xfe) return new TextDecoder("utf-16le").decode(bytes);
  if (first === 0xfe && second === 0xff) return new TextDecoder("utf-16be").decode(bytes);
  return new TextDecoder().decode(bytes);
}

type Token = { kind: "name" | "number" | "text" | "sign" | "end"; text: string };

/** A text as tokens, one after the other. */
interface Tokens {
  next(): Token;
  /** The token that `next` will give. */
  peek(): Token;
  /** Whether that is this sign. */
  isNext(...signs: string[]): boolean;
  /** The error for what is wrong where the reader is. */
  broken(why: string): FormatError;
}

function tokensOf(text: string, what: string): Tokens {
  let at = 0;
  const broken = (why: string): FormatError =>
    new FormatError(`${what}: ${why} in line ${text.slice(0, at).split("\n").length}.`);
  const next = (): Token => {
    token.lastIndex = at;
    const match = token.exec(text);
    if (match === null) {
      if (/^(\s|#[^\n]*)*$/.test(text.slice(at))) return { kind: "end", text: "" };
      throw broken(`"${text.slice(at, at + 20).trim()}" is not understood`);
    }
    at = token.lastIndex;
    const [, name, number, double, single, sign] = match;
    if (name !== undefined) return { kind: "name", text: name };
    if (number !== undefined) return { kind: "number", text: number };
    if (sign !== undefined) return { kind: "sign", text: sign };
    return { kind: "text", text: unescaped(double ?? single ?? "") };
  };
  const peek = (): Token => {
    const before = at;
    const found = next();
    at = before;
    return found;
  };
  const isNext = (...signs: string[]): boolean => {
    const { kind, text: sign } = peek();
    return kind === "sign" && signs.includes(sign);
  };
  return { next, peek, isNext, broken };
}

function scalarAt({ next, peek, broken }: Tokens): MessageValue {
  const { kind, text: words } = next();
  if (kind === "text") {
    let all = words;
    while (peek().kind === "text") all += next().text; // adjacent strings are one
    return all;
  }
  if (kind === "name") return /^(True|False)$/.test(words) ? words.toLowerCase() : words;
  if (kind !== "number") throw broken("a value is missing");
  const value = Number(words.replace(/f$/, ""));
  if (Number.isNaN(value)) throw broken(`"${words}" is no number`);
  return value;
}

function valueAt(tokens: Tokens, depth: number): MessageValue {
  if (!tokens.isNext("{", "<")) return scalarAt(tokens);
  return messageAt(tokens, tokens.next().text === "{" ? "}" : ">", depth + 1);
}

/** A list of values, or one value without brackets. */
function valuesAt(tokens: Tokens, depth: number): MessageValue[] {
  if (!tokens.isNext("[")) return [valueAt(tokens, depth)];
  tokens.next();
  const values: MessageValue[] = [];
  while (!tokens.isNext("]")) {
    values.push(valueAt(tokens, depth));
    if (tokens.isNext(",")) tokens.next();
    else if (!tokens.isNext("]")) throw tokens.broken('"]" is missing');
  }
  tokens.next();
  return values;
}

/** The fields up to the sign that closes the message, or up to the end where that is "". */
function messageAt(tokens: Tokens, close: string, depth: number): Message {
  const { next, peek, isNext, broken } = tokens;
  if (depth > maximumDepth) throw broken(`more than ${maximumDepth} levels`);
  const fields = new Map<string, MessageValue[]>();
  for (;;) {
    const field = next();
    if (field.kind === "end" && close === "") return fields;
    if (field.kind === "sign" && field.text === close) return fields;
    if (field.kind === "sign" && (field.text === ";" || field.text === ",")) continue;
    if (field.kind !== "name") throw broken(close === "" ? "a field's name is missing" : `"${close}" is missing`);
    if (isNext(":")) next();
    else if (peek().text !== "{" && peek().text !== "<") throw broken(`":" is missing after "${field.text}"`);
    const values = valuesAt(tokens, depth);
    const before = fields.get(field.text);
    if (before !== undefined) for (const value of values) before.push(value);
    else if (values.length > 0) fields.set(field.text, values);
  }
}

/**
 * Reads protobuf text (Caffe's .prototxt) without a schema.
 * Source: https://protobuf.dev/reference/protobuf/textformat-spec, without extensions and Any.
 * @param what names the file in messages
 * @throws FormatError with the line where the text stops making sense
 */
export function parsePrototxt(given: string, what: string): Message {
  const text = given.replace(/^\uFEFF/, "");
  if (text.length > maximumTextLength)
    throw new FormatError(`${what}: a text of ${text.length} characters is too long.`);
  return messageAt(tokensOf(text, what), "", 0);
}
