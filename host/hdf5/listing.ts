import { type Hdf5Dataset, type Hdf5Group, isWantedAttribute } from "../../weights-loader/keras/hdf5.ts";
import type { Dtype } from "../../weights-loader/tensors/dtype.ts";
import { forgetTold, type Library, type Limits, type Metadata, Refused, reason } from "./library.ts";
import { step } from "./steps.ts";

/** Groups and datasets in a file; ResNet-152 has about 2,000. */
const maximumObjects = 100_000;
/** Groups inside groups; Keras nests six deep. */
const maximumDepth = 32;
/** HDF5's classes of elements, H5T_class_t of its H5Tpublic.h. */
const kinds = [
  "integer",
  "float",
  "time",
  "string",
  "bitfield",
  "opaque",
  "compound",
  "reference",
  "enum",
  "list",
  "array",
];

/** @param attributesOf reads the attributes of a path; `dtype` may state the type that the values had */
function datasetOf(
  h5: Library,
  file: bigint,
  path: string,
  attributesOf: (path: string) => ReadonlyMap<string, string[]>,
  limits: Limits,
): Hdf5Dataset {
  const about = h5.get_dataset_metadata(file, path);
  if (about.virtual_sources !== undefined) {
    throw new Refused("unsupported", `"${path}" is put together from other files. Copy the data into the file`);
  }
  const chunkBytes = (about.chunks ?? []).reduce((product, count) => product * Number(count), about.size);
  if (about.chunks !== null && !(chunkBytes <= limits.chunk)) {
    throw new Refused(
      "unsupported",
      `"${path}" is stored in pieces of ${chunkBytes} bytes; of a file of this size at most ${limits.chunk} are read. Store it in smaller ones`,
    );
  }
  const [kept] = attributesOf(path).get("dtype") ?? [];
  return { path, ...elementsOf(about, kept), shape: (about.shape ?? []).map(Number) };
}

/** Everything in a file, groups, datasets and the attributes that matter. */
export function list(h5: Library, file: bigint, limits: Limits): Hdf5Group {
  let objects = 0;
  let textBytes = 0;

  const attributesOf = (path: string): Map<string, string[]> => {
    const attributes = new Map<string, string[]>();
    for (const name of h5.get_attribute_names(file, path)) {
      step();
      if (!isWantedAttribute(name)) continue;
      const about = h5.get_attribute_metadata(file, path, name);
      if (about.shape === null || about.total_size === 0) {
        attributes.set(name, []);
        continue;
      }
      if (kinds[about.type] !== "string") {
        throw new Refused("damaged", `the attribute "${name}" of "${path}" is no text`);
      }
      textBytes += about.size * about.total_size;
      if (!(textBytes <= limits.text)) {
        throw new Refused("damaged", `its attributes claim more than ${limits.text} bytes of text`);
      }
      const texts = textAttribute(h5, file, path, name, about);
      textBytes += texts.reduce((sum, text) => sum + text.length, 0);
      attributes.set(name, texts);
    }
    return attributes;
  };

  const group = (path: string, depth: number): Hdf5Group => {
    if (depth > maximumDepth) throw new Refused("damaged", `its groups are nested more than ${maximumDepth} deep`);
    const groups = new Map<string, Hdf5Group>();
    const datasets = new Map<string, Hdf5Dataset>();
    for (const name of h5.get_names(file, path, false)) {
      step();
      if (++objects > maximumObjects) throw new Refused("damaged", `it has more than ${maximumObjects} objects`);
      const inner = `${path === "/" ? "" : path}/${name}`;
      if (h5.get_external_link(file, inner).filename !== undefined) {
        throw new Refused("unsupported", `"${inner}" is a link to another file. Copy the data into the file`);
      }
      if (h5.get_symbolic_link(file, inner) !== null) {
        throw new Refused("unsupported", `"${inner}" is a soft link. Copy the data into its place`);
      }
      const type = h5.get_type(file, inner);
      if (type === h5.H5G_GROUP) groups.set(name, group(inner, depth + 1));
      else if (type === h5.H5G_DATASET) datasets.set(name, datasetOf(h5, file, inner, attributesOf, limits));
    }
    return { attributes: attributesOf(path), groups, datasets };
  };

  const root = group("/", 0);
  forgetTold();
  return root;
}

function textAttribute(h5: Library, file: bigint, path: string, name: string, about: Metadata): string[] {
  const length = about.size * about.total_size;
  const place = h5._malloc(length);
  if (place === 0) throw new Refused("damaged", `the attribute "${name}" of "${path}" is too large`);
  try {
    h5.HEAPU8.fill(0, place, place + length);
    if (h5.get_attribute_data(file, path, name, BigInt(place)) < 0) throw new Refused("damaged", reason());
    if (!about.vlen) {
      return Array.from({ length: about.total_size }, (_, i) => {
        const bytes = h5.HEAPU8.slice(place + i * about.size, place + (i + 1) * about.size);
        const end = bytes.indexOf(0);
        return new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end));
      });
    }
    const pointers = new Uint32Array(h5.HEAPU8.slice(place, place + length).buffer);
    return Array.from(pointers, (pointer) => (pointer === 0 ? "" : h5.UTF8ToString(pointer)));
  } finally {
    h5._free(place); // variable text is left where it is: the thread and its memory go with the file
  }
}

/** The elements as the loader calls them. @param kept Keras keeps bfloat16 as two opaque bytes and says so beside them. */
function elementsOf(about: Metadata, kept: string | undefined): Pick<Hdf5Dataset, "dtype" | "elements"> {
  const { size, signed } = about;
  const kind = kinds[about.type] ?? "unknown elements";
  let dtype: string | undefined;
  if (kind === "float" && [2, 4, 8].includes(size)) dtype = `f${8 * size}`;
  if (kind === "integer" && [1, 2, 4, 8].includes(size)) dtype = `${signed ? "i" : "u"}${8 * size}`;
  if (kind === "opaque" && size === 2 && kept === "bfloat16") dtype = "bf16";
  if (kind === "enum" && size === 1) dtype = "bool"; // h5py's booleans
  return { dtype: dtype as Dtype | undefined, elements: dtype ?? `${kind} of ${size} bytes` }; // the names above are Dtype's
}
