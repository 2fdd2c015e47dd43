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
  let at = 0;
  const broken = (why: string): FormatError =>
    new FormatError(`${what}: ${why} in line ${text.slice(0, at).split("\n").length}.`);
  type Token = { kind: "name" | "number" | "text" | "sign" | "end"; text: string };
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
  const scalar = (): MessageValue => {
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
  };
  const message = (close: string, depth: number): Message => {
    if (depth > maximumDepth) throw broken(`more than ${maximumDepth} levels`);
    const fields = new Map<string, MessageValue[]>();
    const add = (name: string, value: MessageValue): void => {
      const values = fields.get(name);
      if (values === undefined) fields.set(name, [value]);
      else values.push(value);
    };
    const value = (): MessageValue => {
      const { kind, text: sign } = peek();
      if (kind !== "sign" || (sign !== "{" && sign !== "<")) return scalar();
      next();
      return message(sign === "{" ? "}" : ">", depth + 1);
    };
    for (;;) {
      const field = next();
      if (field.kind === "end" && close === "") return fields;
      if (field.kind === "sign" && field.text === close) return fields;
      if (field.kind === "sign" && (field.text === ";" || field.text === ",")) continue;
      if (field.kind !== "name") throw broken(close === "" ? "a field's name is missing" : `"${close}" is missing`);
      const colon = peek();
      if (colon.kind === "sign" && colon.text === ":") next();
      else if (colon.text !== "{" && colon.text !== "<") throw broken(`":" is missing after "${field.text}"`);
      const list = peek();
      if (list.kind !== "sign" || list.text !== "[") {
        add(field.text, value());
        continue;
      }
      next();
      while (peek().text !== "]" || peek().kind !== "sign") {
        add(field.text, value());
        const comma = peek();
        if (comma.kind === "sign" && comma.text === ",") next();
        else if (comma.kind !== "sign" || comma.text !== "]") throw broken('"]" is missing');
      }
      next();
    }
  };
  return message("", 0);
}
