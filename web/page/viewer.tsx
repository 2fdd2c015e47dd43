import type { ComponentChildren, JSX } from "preact";
import { useState } from "preact/hooks";
import type { ExplainedPhoto } from "../../workers/explainer/messages.ts";
import { type Settings, type View, views } from "./link.ts";
import { Picture, type ViewedExplanation, viewTitles } from "./picture.tsx";
import { balance } from "./pictures.ts";

const sentences: Readonly<Record<View, string>> = {
  areas: "The areas that stand out in the relevance map, over the photo: where the network looked.",
  relevance: "Every pixel's share in the score: red speaks for the class, blue against it.",
  salient: "The Salient Relevance map by itself: bright is where relevance stands out from its surroundings.",
  photo: "What the network saw: the photo resized and cropped as its weights were trained.",
};

type ViewerProps = ViewedExplanation & {
  readonly change: (changed: Partial<Pick<Settings, "view" | "strength">>) => void;
  /** What lies over the picture. */
  readonly children: ComponentChildren;
};

/** The picture with its views, the slider over the photo, and what the pointer is on. */
export function Viewer({ change, children, ...props }: ViewerProps): JSX.Element {
  const { explained, view, strength, isBusy } = props;
  const [pointed, setPointed] = useState("");
  return (
    <section class="viewer" aria-label="Picture" aria-busy={isBusy}>
      <ViewTabs view={view} onView={(next) => change({ view: next })} />
      <div class="stage">
        <Picture {...props} onPointed={setPointed} />
        {children}
      </div>
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
            onInput={(event) => change({ strength: Number(event.currentTarget.value) })}
          />
          <span>map</span>
        </label>
        <Legend view={view} />
      </div>
      <p class="pointed" aria-live="off">
        {pointed === "" ? sentences[view] : pointed}
      </p>
      {explained === undefined ? null : <Balance explained={explained} />}
    </section>
  );
}

interface ViewTabsProps {
  readonly view: View;
  readonly onView: (view: View) => void;
}

/** The views as tabs, which the arrow keys walk through. */
function ViewTabs({ view, onView }: ViewTabsProps): JSX.Element {
  const walk = (i: number, key: string): void => {
    const step = key === "ArrowRight" ? 1 : key === "ArrowLeft" ? -1 : 0;
    const next = views[(i + step + views.length) % views.length];
    if (step === 0 || next === undefined) return;
    onView(next);
    document.getElementById(`tab-${next}`)?.focus();
  };
  return (
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
          onKeyDown={(event) => walk(i, event.key)}
        >
          {viewTitles[name]}
        </button>
      ))}
    </div>
  );
}

/** What the colours of a view mean. */
function Legend({ view }: { readonly view: View }): JSX.Element | null {
  if (view === "photo") return null;
  const [low, high] = view === "relevance" ? ["against", "for"] : ["low", "high"];
  return (
    <p class="legend" title={view === "relevance" ? "The strongest 0.1 % of the pixels share the end colours." : ""}>
      {low} <span class={view === "relevance" ? "bar signed" : "bar salient"} aria-hidden="true" /> {high}, scaled to
      this photo
    </p>
  );
}

/** How much of the relevance speaks for the class, and how much against it. */
function Balance({ explained }: { readonly explained: ExplainedPhoto }): JSX.Element {
  const { plus, minus } = balance(explained);
  const share = plus + minus === 0 ? 0 : (100 * plus) / (plus + minus);
  return (
    <p class="balance">
      <span class="scale" aria-hidden="true">
        <span style={{ width: `${share}%` }} />
      </span>
      <span>
        {share.toFixed(0)} % of the relevance speaks for {explained.targetDescription}, {(100 - share).toFixed(0)} %
        against it.
      </span>
    </p>
  );
}
