import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { modelNames } from "../../engine/models/index.ts";
import { preprocessingNames } from "../../engine/models/preprocessing.ts";
import type { NetworkInfo } from "../../workers/explainer/messages.ts";
import type { WebNetwork } from "../messages.ts";
import { offeredNetworks, pageKernels } from "./bundled.ts";

/** Class names from a file: a JSON list, a JSON object by index, or a line each. @throws Error in words for people */
export function readClassNames(text: string): readonly string[] {
  const trimmed = text.trim();
  if (!/^[[{]/.test(trimmed)) return trimmed.split(/\r?\n/);
  let parsed: unknown;
  try {
    parsed = JSON.parse(trimmed);
  } catch (error) {
    throw new Error(`The class names are no JSON (${String(error)}). A text file with a name a line does, too.`);
  }
  const names: unknown[] = Array.isArray(parsed)
    ? parsed
    : Object.entries(parsed as Record<string, unknown>)
        .sort(([a], [b]) => Number(a) - Number(b))
        .map(([, name]) => name);
  return names.map((name) => (Array.isArray(name) ? String(name.at(-1)) : String(name))); // Keras: { "0": ["n01440764", "tench"] }
}

/** Choice of network: those of the package, or a weight file of one's own. */
export function OwnNetwork({
  info,
  onNetwork,
}: {
  readonly info: NetworkInfo | undefined;
  readonly onNetwork: (network: WebNetwork) => void;
}): JSX.Element {
  const [file, setFile] = useState<File>();
  const [labels, setLabels] = useState<readonly string[]>();
  const [model, setModel] = useState("");
  const [preprocess, setPreprocess] = useState("");
  const [problem, setProblem] = useState("");
  const load = (): void => {
    if (file === undefined) return;
    onNetwork({
      weights: file,
      ...pageKernels,
      ...(model === "" ? {} : { model }),
      ...(preprocess === "" ? {} : { preprocess }),
      ...(labels === undefined ? {} : { labels }),
    });
  };
  const takeNames = async (chosen: File | undefined): Promise<void> => {
    try {
      setProblem("");
      setLabels(chosen === undefined ? undefined : readClassNames(await chosen.text()));
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
    }
  };
  return (
    <details class="card own">
      <summary>
        Network: <strong>{info?.name ?? "…"}</strong>
      </summary>
      <div class="row">
        {offeredNetworks.map(({ title, about, network }) => (
          <button key={title} type="button" class="plain" title={about} onClick={() => onNetwork(network)}>
            {title}
          </button>
        ))}
      </div>
      <h3>Your own</h3>
      <label class="drop small">
        <input type="file" onChange={(event) => setFile(event.currentTarget.files?.[0])} />
        <strong>{file?.name ?? "Choose a weight file"}</strong>{" "}
        <span>ONNX, safetensors, .pth, Keras, TF.js, Caffe</span>
      </label>
      <label class="field">
        <span>Class names</span>
        <input type="file" accept=".txt,.json" onChange={(event) => void takeNames(event.currentTarget.files?.[0])} />
      </label>
      <label class="field">
        <span>Network</span>
        <select value={model} onChange={(event) => setModel(event.currentTarget.value)}>
          <option value="">as the file says</option>
          {modelNames().map((name) => (
            <option key={name} value={name}>
              {name}
            </option>
          ))}
        </select>
      </label>
      <label class="field">
        <span>Photos prepared</span>
        <select value={preprocess} onChange={(event) => setPreprocess(event.currentTarget.value)}>
          <option value="">as the file says</option>
          {preprocessingNames().map((name) => (
            <option key={name} value={name}>
              {name}
            </option>
          ))}
        </select>
      </label>
      {problem === "" ? null : (
        <p class="problem" role="alert">
          {problem}
        </p>
      )}
      <button type="button" class="primary" disabled={file === undefined} onClick={load}>
        Explain with it
      </button>
    </details>
  );
}
