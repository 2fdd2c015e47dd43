import { DOMParser, type Element, onWarningStopParsing } from "@xmldom/xmldom";
import { FormatError } from "../../engine/basics/errors.ts";
import type { VocObject } from "../../evaluation/index.ts";

/** What Pascal VOC's XML of a photo says. */
export interface VocDocument {
  readonly size: { readonly width: string | undefined; readonly height: string | undefined };
  readonly objects: readonly VocObject[];
}

function childrenOf(parent: Element | undefined, name: string): Element[] {
  return Array.from(parent?.childNodes ?? []).filter((node): node is Element => node.nodeName === name);
}

function textOf(parent: Element | undefined, name: string): string | undefined {
  return childrenOf(parent, name)[0]?.textContent?.trim();
}

/**
 * Reads Pascal VOC's XML. A document type is refused before anything is parsed: VOC has none, and entities that unfold into millions of
 * others, or into files, begin with one.
 * @param file what messages call the photo
 * @throws FormatError when it is no such XML
 */
export function readVocXml(file: string, text: string): VocDocument {
  if (/<!DOCTYPE|<!ENTITY/i.test(text)) {
    throw new FormatError(`annotations of "${file}": the XML has a document type, which Pascal VOC's has not.`);
  }
  let root: Element | null;
  try {
    root = new DOMParser({ onError: onWarningStopParsing }).parseFromString(text, "text/xml").documentElement;
  } catch {
    throw new FormatError(`annotations of "${file}": is no whole XML.`);
  }
  if (root?.nodeName !== "annotation") {
    throw new FormatError(
      `annotations of "${file}": must be Pascal VOC's XML, an "annotation", got "${root?.nodeName}".`,
    );
  }
  const [size] = childrenOf(root, "size");
  return {
    size: { width: textOf(size, "width"), height: textOf(size, "height") },
    objects: childrenOf(root, "object").map((object) => {
      const [box] = childrenOf(object, "bndbox");
      const corner = (name: string): string | undefined => textOf(box, name);
      return {
        name: textOf(object, "name"),
        xmin: corner("xmin"),
        ymin: corner("ymin"),
        xmax: corner("xmax"),
        ymax: corner("ymax"),
      };
    }),
  };
}
