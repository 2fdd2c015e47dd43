import type { JSX } from "preact";
import type { ExplainedPhoto } from "../../workers/explainer/messages.ts";
import { Ledger } from "./ledger.tsx";
import { saveArray, saveJson, savePanel } from "./save.ts";

/** Where the relevance of an explanation went, layer by layer. */
export function LedgerCard({ explained }: { readonly explained: ExplainedPhoto }): JSX.Element {
  return (
    <details class="card">
      <summary>Where relevance went</summary>
      <p class="hint">
        From the class's score (top) to the photo (bottom): handed on, <i class="bias">bias</i>,{" "}
        <i class="stabilizer">stabiliser</i>, <i class="dropped">dropped</i>.
      </p>
      <Ledger rows={explained.ledger} />
    </details>
  );
}

interface SaveCardProps {
  readonly explained: ExplainedPhoto;
  /** Of the photo: how the files begin. */
  readonly name: string;
}

/** What can be taken along of an explanation. */
export function SaveCard({ explained, name }: SaveCardProps): JSX.Element {
  const choices: readonly (readonly [text: string, save: () => void])[] = [
    ["Panel (PNG)", () => void savePanel(explained, name)],
    ["Relevance (npy)", () => saveArray(explained, "relevance", name)],
    ["Areas (npy)", () => saveArray(explained, "salientRelevance", name)],
    ["JSON", () => saveJson(explained, name)],
    ["Copy link", () => void navigator.clipboard?.writeText(location.href)],
  ];
  return (
    <section class="card" aria-label="Save">
      <h2>Save</h2>
      <div class="row">
        {choices.map(([text, save]) => (
          <button key={text} type="button" class="plain" onClick={save}>
            {text}
          </button>
        ))}
      </div>
    </section>
  );
}
