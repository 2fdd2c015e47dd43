import { useEffect, useRef } from "preact/hooks";
import { examples } from "./bundled.ts";

/** A photo and how it is called: files by their names without the ending. */
export interface NamedPhoto {
  readonly photo: Blob;
  readonly name: string;
}

/** A file that somebody chose, dropped or pasted. */
export function namedPhoto(file: File): NamedPhoto {
  return { photo: file, name: file.name.replace(/\.[^.]*$/, "") };
}

/** An example of the page; undefined for a name that is none. @throws Error in words for people when it cannot be fetched */
export async function fetchExample(name: string): Promise<NamedPhoto | undefined> {
  const example = examples.find((known) => known.name === name);
  if (example === undefined) return undefined;
  try {
    const response = await fetch(example.file);
    if (!response.ok) throw new Error(`the server answered ${response.status}`);
    return { photo: await response.blob(), name };
  } catch (error) {
    throw new Error(`The example could not be loaded (${String(error)}). Drop a photo of your own.`);
  }
}

/** Hands over the photo that is dropped or pasted, wherever on the page. */
export function useBroughtPhotos(take: (photo: NamedPhoto) => void): void {
  const newest = useRef(take);
  newest.current = take;
  useEffect(() => {
    const takeFirst = (files: FileList | undefined): void => {
      const file = files?.[0];
      if (file !== undefined) newest.current(namedPhoto(file));
    };
    const dropped = (event: DragEvent): void => {
      event.preventDefault();
      document.body.classList.remove("dragging");
      if (event.target instanceof Element && event.target.closest(".own") !== null) return; // weights, not photos
      takeFirst(event.dataTransfer?.files);
    };
    const over = (event: DragEvent): void => {
      event.preventDefault();
      document.body.classList.add("dragging");
    };
    const left = (): void => document.body.classList.remove("dragging");
    const pasted = (event: ClipboardEvent): void => takeFirst(event.clipboardData?.files);
    addEventListener("drop", dropped);
    addEventListener("dragover", over);
    addEventListener("dragleave", left);
    addEventListener("paste", pasted);
    return () => {
      removeEventListener("drop", dropped);
      removeEventListener("dragover", over);
      removeEventListener("dragleave", left);
      removeEventListener("paste", pasted);
    };
  }, []);
}
