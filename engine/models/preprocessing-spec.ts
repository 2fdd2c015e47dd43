import type { Preprocessing } from "../graph/definition.ts";

// A way to prepare photos in words or JSON: `resize=256,mean=0.485/0.456/0.406,std=0.229/0.224/0.225`.

const keys = ["resize", "scale", "mean", "std", "order", "crop", "layout"] as const;
type Key = (typeof keys)[number];

function isKey(name: string): name is Key {
  return (keys as readonly string[]).includes(name);
}

/** A preprocessing of one's own, and the input's side where a crop names it. */
export interface OwnPreprocessing {
  readonly preprocessing: Preprocessing;
  /** Height and width that the photo is cropped to: the network's input. */
  readonly crop?: number;
}

/**
 * Reads `key=value,...`: resize (a number: the shorter side; NxN: both sides; fit: the network's own size, the default; none), crop, scale
 * (default 1/255), mean and std (after scale; one number or one per channel with / between, default 0 and 1), order (rgb, bgr, gray).
 * @throws RangeError saying what is wrong
 */
export function parsePreprocessing(text: string): OwnPreprocessing {
  const given = new Map<Key, string>();
  for (const part of text.split(",")) {
    const [name = "", value, ...more] = part.split("=");
    const key = name.trim();
    if (!isKey(key) || value === undefined || more.length > 0) {
      throw new RangeError(
        `preprocessing "${text}": "${part}" must be one of ${keys.map((one) => `${one}=...`).join(", ")}.`,
      );
    }
    if (given.has(key)) throw new RangeError(`preprocessing "${text}": ${key} is there twice.`);
    given.set(key, value.trim());
  }
  return ownPreprocessing((key) => given.get(key), text);
}

/**
 * Reads the same from JSON, lists as lists; also a Preprocessing as the library has it, and the preprocessor_config.json of Hugging Face.
 * @throws RangeError saying what is wrong
 */
export function preprocessingOfJson(value: unknown): OwnPreprocessing {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new RangeError("preprocessing: the JSON file must hold an object.");
  }
  const json = value as Readonly<Record<string, unknown>>; // an object; its members are looked at one by one
  const textOf = (given: unknown): string | undefined => {
    if (given === undefined || given === null) return undefined;
    return Array.isArray(given) ? given.join("/") : String(given);
  };
  if ("image_mean" in json || "do_resize" in json) return ownPreprocessing((key) => huggingFace(json, key), "JSON");
  const order = json["order"] ?? json["channelOrder"];
  const resizeTo = json["resizeTo"];
  const resize =
    json["resize"] === "shorter" ? resizeTo : json["resize"] === "squash" ? `${resizeTo}x${resizeTo}` : json["resize"];
  return ownPreprocessing((key) => textOf(key === "order" ? order : key === "resize" ? resize : json[key]), "JSON");
}

function huggingFace(json: Readonly<Record<string, unknown>>, key: Key): string | undefined {
  const numbers = (name: string): string | undefined => (Array.isArray(json[name]) ? json[name].join("/") : undefined);
  const sizeOf = (name: string): Readonly<Record<string, unknown>> =>
    typeof json[name] === "object" && json[name] !== null
      ? (json[name] as Readonly<Record<string, unknown>>)
      : { shortest_edge: json[name] };
  const size = sizeOf("size");
  const crop = sizeOf("crop_size");
  switch (key) {
    case "mean":
      return json["do_normalize"] === false ? undefined : numbers("image_mean");
    case "std":
      return json["do_normalize"] === false ? undefined : numbers("image_std");
    case "scale":
      return json["do_rescale"] === false ? "1" : String(json["rescale_factor"] ?? 1 / 255);
    case "resize": {
      if (json["do_resize"] === false) return "none";
      return size["shortest_edge"] === undefined ? `${size["height"]}x${size["width"]}` : String(size["shortest_edge"]);
    }
    case "crop":
      return json["do_center_crop"] === true ? String(crop["height"] ?? crop["shortest_edge"]) : undefined;
    default:
      return undefined;
  }
}

function ownPreprocessing(given: (key: Key) => string | undefined, text: string): OwnPreprocessing {
  const fail = (why: string): RangeError => new RangeError(`preprocessing "${text}": ${why}`);
  const order = given("order") ?? "rgb";
  if (order !== "rgb" && order !== "bgr" && order !== "gray")
    throw fail(`order must be rgb, bgr or gray, got "${order}".`);
  const layout = given("layout") ?? "chw";
  if (layout !== "chw") {
    throw fail(
      `layout must be chw, got "${layout}": networks whose files are channels last are turned when they are read.`,
    );
  }
  const channels = order === "gray" ? 1 : 3;
  const numbers = (key: Key, otherwise: number): number[] => {
    const values = (given(key) ?? String(otherwise)).split(/[/ ]+/).map(Number);
    const isUsable = values.every(Number.isFinite) && (values.length === 1 || values.length === channels);
    if (!isUsable) throw fail(`${key} must be one number, or ${channels} with / between, got "${given(key)}".`);
    return values.length === channels ? values : Array<number>(channels).fill(values[0] ?? otherwise);
  };
  const std = numbers("std", 1);
  if (std.some((value) => value === 0)) throw fail("std must not be 0.");
  const scaleText = given("scale") ?? String(1 / 255);
  const scale = scaleText.split("/").length === 2 ? fraction(scaleText) : Number(scaleText);
  if (!(Number.isFinite(scale) && scale !== 0))
    throw fail(`scale must be a number other than 0, got "${given("scale")}".`);
  const crop = given("crop");
  if (crop !== undefined && !/^[1-9]\d{0,5}$/.test(crop)) throw fail(`crop must be a positive integer, got "${crop}".`);
  const preprocessing = {
    ...resizeOf(given("resize") ?? "fit", fail),
    channelOrder: order,
    scale,
    mean: numbers("mean", 0),
    std,
  } as const;
  return crop === undefined ? { preprocessing } : { preprocessing, crop: Number(crop) };
}

/** "1/255" */
function fraction(text: string): number {
  const [above = Number.NaN, below = Number.NaN] = text.split("/").map(Number);
  return above / below;
}

function resizeOf(text: string, fail: (why: string) => RangeError): Pick<Preprocessing, "resize" | "resizeTo"> {
  if (text === "fit" || text === "none") return { resize: text, resizeTo: 0 };
  const [, first, second] = /^([1-9]\d{0,5})(?:x([1-9]\d{0,5}))?$/.exec(text) ?? [];
  if (first === undefined) throw fail(`resize must be a number, NxN, fit or none, got "${text}".`);
  if (second === undefined) return { resize: "shorter", resizeTo: Number(first) };
  if (first !== second)
    throw fail(`resize to ${text}: both sides must be alike; for the network's own height and width: resize=fit.`);
  return { resize: "squash", resizeTo: Number(first) };
}
