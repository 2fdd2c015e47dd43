import type { JSX } from "preact";
import { compositeNames, compositeSummary } from "../../engine/rules/composites.ts";
import type { NetworkInfo } from "../../workers/explainer/messages.ts";
import type { Settings } from "./link.ts";
import { type FieldOption, RadioField, SelectField } from "./select-field.tsx";

const modeHints: Readonly<Record<Settings["mode"], string>> = {
  exact: "Every 7×7 patch of the relevance map is compared with its 64 most similar patches, found exactly.",
  fast: "The most similar patches are found by an estimate: nearly the same map in a third of the time.",
};

const featureHints: Readonly<Record<Settings["feature"], string>> = {
  lab: "Patches differ as the eye sees the heat map's colours, as in the paper.",
  gray: "Patches differ as their relevance does.",
};

/** In plain words, for who has not read the papers; the others have the engine's line alone. */
const plainWords: Readonly<Record<string, string>> = {
  epsilonPlus: "What spoke for the class: a calm map.",
  li2019: "What spoke for and against the class, as in the paper of the Salient Relevance map.",
  gradient: "Where a small change of a pixel would change the score most.",
};

/** The composites under headings: others' own, gradients, and what is LRP. */
function compositeGroups(): readonly (readonly [title: string, options: readonly FieldOption[]])[] {
  const groups: Record<string, FieldOption[]> = {
    "Layer-wise relevance": [],
    "As other libraries have it": [],
    "Gradients and their kin": [],
  };
  for (const name of compositeNames()) {
    const isOthers = /^(innvestigate|captum)/.test(name);
    const isGradient = /^(gradient|deconvnet|guided|excitation)/.test(name);
    const title = isOthers
      ? "As other libraries have it"
      : isGradient
        ? "Gradients and their kin"
        : "Layer-wise relevance";
    groups[title]?.push([name, name]);
  }
  return Object.entries(groups);
}

interface MethodCardProps {
  readonly info: NetworkInfo | undefined;
  readonly settings: Settings;
  readonly change: (changed: Partial<Settings>) => void;
}

/** How it is explained: rules, areas, and where inside the network. */
export function MethodCard({ info, settings, change }: MethodCardProps): JSX.Element {
  const { composite, mode, feature, at } = settings;
  const layers = info === undefined ? [] : info.layers;
  return (
    <section class="card" aria-label="Method">
      <h2>How</h2>
      <SelectField
        name="Rules"
        value={composite}
        options={[]}
        groups={compositeGroups()}
        onValue={(next) => change({ composite: next })}
      />
      <p class="hint">
        {plainWords[composite]} <span class="fine">{compositeSummary(composite)}</span>
      </p>
      <RadioField
        name="Areas"
        value={mode}
        options={[
          ["fast", "fast"],
          ["exact", "exact"],
        ]}
        onValue={(next) => change({ mode: next === "exact" ? "exact" : "fast" })}
      />
      <p class="hint">{modeHints[mode]}</p>
      <RadioField
        name="Patches of"
        value={feature}
        options={[
          ["lab", "colours"],
          ["gray", "relevance"],
        ]}
        onValue={(next) => change({ feature: next === "gray" ? "gray" : "lab" })}
      />
      <p class="hint">{featureHints[feature]}</p>
      <SelectField
        name="Seen at"
        value={at}
        options={[["", "the photo"], ...layers.map((layer) => [layer, `layer ${layer}`] as const)]}
        onValue={(next) => change({ at: next, view: "relevance" })}
      />
    </section>
  );
}
