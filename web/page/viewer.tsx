import type { JSX, TargetedPointerEvent } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { ExplainedPhoto, NetworkInfo } from "../../workers/explainer/messages.ts";
import { drawImage } from "../pictures/image-data.ts";
import { type View, views } from "./link.ts";
import { balance, shown, valueAt } from "./pictures.ts";
import { drawSharply } from "./sharp-photo.ts";

const titles: Readonly<Record<View, string>> = {
  areas: "Areas",
  relevance: "Relevance",
  salient: "Salient",
  photo: "Photo",
};

const sentences: Readonly<Record<View, string>> = {
  areas: "The areas that stand out in the relevance map, over the photo: where the network looked.",
  relevance: "Every pixel's share in the score: red speaks for the class, blue against it.",
  salient: "The Salient Relevance map by itself: bright is where relevance stands out from its surroundings.",
  photo: "What the network saw: the photo resized and cropped as its weights were trained.",
};

/** The picture with its views, the slider over the photo, and what the pointer is on. */
export function Viewer({
  explained,
  source,
  info,
  view,
  strength,
  isBusy,
  onView,
  onStrength,
}: {
  readonly explained: ExplainedPhoto | undefined;
  /** The file that is explained, if it is one. */
  readonly source: Blob | undefined;
  readonly info: NetworkInfo | undefined;
  readonly view: View;
  readonly strength: number;
  readonly isBusy: boolean;
  readonly onView: (view: View) => void;
  readonly onStrength: (strength: number) => void;
}): JSX.Element {
  const photo = useRef<HTMLCanvasElement>(null);
  const map = useRef<HTMLCanvasElement>(null);
  const [pointed, setPointed] = useState("");
  useEffect(() => {
    const canvas = photo.current;
    if (explained === undefined || canvas === null) return;
    const { picture } = explained;
    let isOver = false;
    const draw = async (): Promise<void> => {
      const isSharp =
        source !== undefined && info !== undefined && (await drawSharply(canvas, source, info, () => !isOver));
      if (!isSharp && !isOver && picture !== undefined) drawImage(canvas, picture);
    };
    void draw();
    return () => {
      isOver = true;
    };
  }, [explained?.picture, source, info]);
  useEffect(() => {
    if (explained === undefined || map.current === null) return;
    const { image } = shown(explained, view);
    map.current.hidden = image === undefined;
    if (image !== undefined) drawImage(map.current, image);
  }, [explained, view]);
  const point = (event: TargetedPointerEvent<HTMLElement>): void => {
    if (explained === undefined) return;
    const box = event.currentTarget.getBoundingClientRect();
    setPointed(valueAt(explained, (event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height));
  };
  const { plus, minus } = explained === undefined ? { plus: 0, minus: 0 } : balance(explained);
  const share = plus + minus === 0 ? 0 : (100 * plus) / (plus + minus);
  return (
    <section class="viewer" aria-label="Picture" aria-busy={isBusy}>
      <div class="tabs" role="tablist" aria-label="View">
        {views.map((name, i) => (
          <button
            key={name}
            type="button"
            role="tab"
            id={`tab-${name}`}
            aria-selected={name === view}
            aria-controls="picture"
            tabIndex={name === view ? 0 : -1}
            onClick={() => onView(name)}
            onKeyDown={(event) => {
              const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
              const next = views[(i + step + views.length) % views.length];
              if (step === 0 || next === undefined) return;
              onView(next);
              document.getElementById(`tab-${next}`)?.focus();
            }}
          >
            {titles[name]}
          </button>
        ))}
      </div>
      <div
        class="picture"
        id="picture"
        role="tabpanel"
        aria-labelledby={`tab-${view}`}
        onPointerMove={point}
        onPointerLeave={() => setPointed("")}
      >
        <canvas
          ref={photo}
          width="224"
          height="224"
          role="img"
          aria-label="The photo as the network saw it"
          style={{
            filter: view === "areas" ? `saturate(${1 - strength / 2}) brightness(${1 - strength / 10})` : "none",
          }}
        />
        <canvas
          ref={map}
          class="map"
          width="224"
          height="224"
          role="img"
          aria-label={explained === undefined ? "No map yet" : `${titles[view]} for ${explained.targetDescription}`}
          style={{ opacity: String(strength) }}
        />
        {isBusy ? <div class="busy" aria-hidden="true" /> : null}
      </div>
      <p class="pointed" aria-live="off">
        {pointed === "" ? sentences[view] : pointed}
      </p>
      <div class="under">
        <label class="slider">
          <span>photo</span>
          <input
            type="range"
            min="0"
            max="1"
            step="0.01"
            value={strength}
            aria-label="How strongly the map covers the photo"
            onInput={(event) => onStrength(Number(event.currentTarget.value))}
          />
          <span>map</span>
        </label>
        {explained === undefined ? null : view === "relevance" ? (
          <p class="legend">
            <span class="bar signed" aria-hidden="true" />
            blue against, red for · the strongest 0.1 % share the end colours · scaled to this photo
          </p>
        ) : view === "photo" ? null : (
          <p class="legend">
            <span class="bar salient" aria-hidden="true" /> low to high · scaled to this photo
          </p>
        )}
        {explained === undefined ? null : (
          <p class="balance">
            {share.toFixed(0)} % of the relevance speaks for {explained.targetDescription}, {(100 - share).toFixed(0)} %
            against it.
          </p>
        )}
      </div>
    </section>
  );
}
