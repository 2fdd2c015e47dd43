import type { JSX, RefObject, TargetedPointerEvent } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { ExplainedPhoto, NetworkInfo } from "../../workers/explainer/messages.ts";
import { drawImage } from "../pictures/image-data.ts";
import type { View } from "./link.ts";
import { shown, valueAt } from "./pictures.ts";
import { drawSharply } from "./sharp-photo.ts";

/** How the views are called. */
export const viewTitles: Readonly<Record<View, string>> = {
  areas: "Areas",
  relevance: "Relevance",
  salient: "Salient",
  photo: "Photo",
};

/** What is drawn, and how. */
export interface ViewedExplanation {
  readonly explained: ExplainedPhoto | undefined;
  /** The file that is explained, if it is one. */
  readonly source: Blob | undefined;
  readonly info: NetworkInfo | undefined;
  readonly view: View;
  /** Share of the map over the photo, 0 to 1. */
  readonly strength: number;
  readonly isBusy: boolean;
}

/** Draws what the network saw of the photo, then the same from the photo's file, where that is at hand, as sharp as the screen is. */
function usePhotoCanvas({ explained, source, info }: ViewedExplanation): RefObject<HTMLCanvasElement | null> {
  const photo = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const canvas = photo.current;
    if (explained === undefined || canvas === null) return;
    const { picture } = explained;
    let isOver = false;
    if (picture !== undefined) drawImage(canvas, picture); // at once: another photo must not lie under this map
    const draw = async (): Promise<void> => {
      if (source !== undefined && info !== undefined) await drawSharply(canvas, source, info, () => !isOver);
    };
    void draw();
    return () => {
      isOver = true;
    };
  }, [explained?.picture, source, info]);
  return photo;
}

/** Draws the map of the view, if that has one. */
function useMapCanvas({ explained, view }: ViewedExplanation): RefObject<HTMLCanvasElement | null> {
  const map = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    if (explained === undefined || map.current === null) return;
    const { image } = shown(explained, view);
    map.current.hidden = image === undefined;
    if (image !== undefined) drawImage(map.current, image);
  }, [explained, view]);
  return map;
}

type PictureProps = ViewedExplanation & {
  /** Told what the pointer is on; empty when it leaves. */
  readonly onPointed: (text: string) => void;
};

/** The photo with the map over it. */
export function Picture({ onPointed, ...props }: PictureProps): JSX.Element {
  const { explained, view, strength, isBusy } = props;
  const photo = usePhotoCanvas(props);
  const map = useMapCanvas(props);
  const point = (event: TargetedPointerEvent<HTMLElement>): void => {
    if (explained === undefined) return;
    const box = event.currentTarget.getBoundingClientRect();
    onPointed(valueAt(explained, (event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height));
  };
  const filter = view === "areas" ? `saturate(${1 - strength / 2}) brightness(${1 - strength / 10})` : "none";
  return (
    <div
      class="picture"
      id="picture"
      role="tabpanel"
      aria-labelledby={`tab-${view}`}
      onPointerMove={point}
      onPointerLeave={() => onPointed("")}
    >
      <canvas
        ref={photo}
        width="224"
        height="224"
        role="img"
        aria-label="The photo as the network saw it"
        style={{ filter }}
      />
      <canvas
        ref={map}
        class="map"
        width="224"
        height="224"
        role="img"
        aria-label={explained === undefined ? "No map yet" : `${viewTitles[view]} for ${explained.targetDescription}`}
        style={{ opacity: String(strength) }}
      />
      {isBusy ? <div class="busy" aria-hidden="true" /> : null}
    </div>
  );
}
