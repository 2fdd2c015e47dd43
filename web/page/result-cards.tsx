import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { ExplainedPhoto } from "../../workers/explainer/messages.ts";
import { Ledger } from "./ledger.tsx";
import { problemText } from "./problem.tsx";
import { saveArray, saveJson, savePanel } from "./save.ts";

/** Where the relevance of an explanation went, layer by layer; drawn once it is opened. */
export function LedgerCard({ explained }: { readonly explained: ExplainedPhoto }): JSX.Element {
  const [isOpen, setOpen] = useState(false);
  const { ledger, targetDescription } = explained;
  const [first, last] = [ledger[0], ledger.at(-1)];
  return (
    <details class="card wide" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        <strong>Where relevance went</strong> <small>layer by layer, from the score to the photo</small>
      </summary>
      {isOpen ? (
        <>
          <p class="hint">
            {first?.relevanceOut.toPrecision(3)} began at {targetDescription} (top), {last?.relevanceIn.toPrecision(3)}{" "}
            came to the photo (bottom). A bar is what a layer <i class="on">handed on</i>, and what it lost to its{" "}
            <i class="bias">bias</i>, to the <i class="stabilizer">stabiliser</i>, or <i class="dropped">dropped</i>.
          </p>
          <Ledger rows={ledger} />
        </>
      ) : null}
    </details>
  );
}

interface SaveCardProps {
  readonly explained: ExplainedPhoto;
  /** Of the photo: how the files begin. */
  readonly name: string;
}

/** Copies the page's address. @throws Error in words for people where the browser forbids it */
async function copyLink(): Promise<string> {
  try {
    await navigator.clipboard.writeText(location.href); // pages by plain http have no clipboard
  } catch {
    throw new Error("The browser forbids copying here. Take the link from its address bar: it holds the settings.");
  }
  return "The link is copied. It holds the settings; a photo of your own is not in it.";
}

/** What can be taken along of an explanation. */
export function SaveCard({ explained, name }: SaveCardProps): JSX.Element {
  const [said, say] = useState("");
  const choices: readonly (readonly [text: string, save: () => string | Promise<string>])[] = [
    ["Panel (PNG)", () => savePanel(explained, name)],
    ["Relevance (npy)", () => saveArray(explained, "relevance", name)],
    ["Areas (npy)", () => saveArray(explained, "salientRelevance", name)],
    ["JSON", () => saveJson(explained, name)],
    ["Copy link", copyLink],
  ];
  const run = async (save: () => string | Promise<string>): Promise<void> => {
    try {
      say(await save());
    } catch (error) {
      say(problemText(error));
    }
  };
  return (
    <section class="card" aria-label="Save">
      <h2>Save</h2>
      <div class="row">
        {choices.map(([text, save]) => (
          <button key={text} type="button" class="plain" onClick={() => void run(save)}>
            {text}
          </button>
        ))}
      </div>
      <p class="hint said" role="status">
        {said}
      </p>
    </section>
  );
}
