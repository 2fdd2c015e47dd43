import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { modelNames } from "../../engine/models/names.ts";
import { preprocessingNames } from "../../engine/models/preprocessing.ts";
import type { NetworkInfo } from "../../workers/explainer/messages.ts";
import type { WebNetwork } from "../messages.ts";
import { offeredNetworks, pageKernels } from "./bundled.ts";
import { readClassNames } from "./class-names.ts";
import { Problem, problemText } from "./problem.tsx";
import { type FieldOption, SelectField } from "./select-field.tsx";

/** What a visitor says of a network of their own; empty for what its file says. */
interface Own {
  readonly file?: File | undefined;
  readonly labels?: readonly string[] | undefined;
  readonly model: string;
  readonly preprocess: string;
}

function ownNetwork(weights: File, { labels, model, preprocess }: Own): WebNetwork {
  return {
    weights,
    ...pageKernels,
    ...(model === "" ? {} : { model }),
    ...(preprocess === "" ? {} : { preprocess }),
    ...(labels === undefined ? {} : { labels }),
  };
}

const orAsTheFileSays = (names: readonly string[]): readonly FieldOption[] => [
  ["", "as the file says"],
  ...names.map((name) => [name, name] as const),
];

interface OwnNetworkProps {
  readonly info: NetworkInfo | undefined;
  /** The network that was chosen. */
  readonly network: WebNetwork | undefined;
  readonly onNetwork: (network: WebNetwork) => void;
}

/** Choice of network: those of the package, or a weight file of one's own. */
export function OwnNetwork({ info, network, onNetwork }: OwnNetworkProps): JSX.Element {
  const offered = offeredNetworks.find((other) => other.network === network);
  const file = network?.weights instanceof File ? network.weights.name : "…";
  return (
    <details class="card own">
      <summary>
        Network: <strong>{offered?.title ?? info?.name ?? file}</strong>
      </summary>
      <div class="row">
        {offeredNetworks.map((other) => (
          <button
            key={other.title}
            type="button"
            class="plain"
            aria-pressed={other === offered}
            title={other.about}
            onClick={() => onNetwork(other.network)}
          >
            {other.title}
          </button>
        ))}
      </div>
      <p class="hint">{offered?.about ?? "Your own: its file stays on this device, too."}</p>
      <h3>Your own</h3>
      <OwnFile onNetwork={onNetwork} />
    </details>
  );
}

/** A weight file of one's own, and what it may not say itself. */
function OwnFile({ onNetwork }: Pick<OwnNetworkProps, "onNetwork">): JSX.Element {
  const [own, setOwn] = useState<Own>({ model: "", preprocess: "" });
  const [problem, setProblem] = useState("");
  const change = (changed: Partial<Own>): void => setOwn((before) => ({ ...before, ...changed }));
  const takeNames = async (chosen: File | undefined): Promise<void> => {
    try {
      setProblem("");
      change({ labels: chosen === undefined ? undefined : readClassNames(await chosen.text()) });
    } catch (error) {
      setProblem(problemText(error));
    }
  };
  const { file, labels, model, preprocess } = own;
  return (
    <>
      <label class="drop small">
        <input type="file" onChange={(event) => change({ file: event.currentTarget.files?.[0] })} />
        <strong>{file?.name ?? "Choose a weight file"}</strong>{" "}
        <small>ONNX, safetensors, .pth, Keras, TF.js, Caffe</small>
      </label>
      <label class="drop small">
        <input type="file" accept=".txt,.json" onChange={(event) => void takeNames(event.currentTarget.files?.[0])} />
        <strong>{labels === undefined ? "Class names" : `${labels.length} class names`}</strong>{" "}
        <small>a text file with a name a line, or JSON; where the weights bring none</small>
      </label>
      <SelectField
        name="Network"
        value={model}
        options={orAsTheFileSays(modelNames())}
        onValue={(next) => change({ model: next })}
      />
      <SelectField
        name="Photos prepared"
        value={preprocess}
        options={orAsTheFileSays(preprocessingNames())}
        onValue={(next) => change({ preprocess: next })}
      />
      <Problem text={problem} />
      <button
        type="button"
        class="primary"
        disabled={file === undefined}
        onClick={() => file !== undefined && onNetwork(ownNetwork(file, own))}
      >
        Explain with it
      </button>
    </>
  );
}
