import type { JSX } from "preact";
import { compositeNames, compositeSummary } from "../../engine/rules/composites.ts";
import type { NetworkInfo } from "../../workers/explainer/messages.ts";
import type { Settings } from "./link.ts";
import { SelectField } from "./select-field.tsx";

const modeHints: Readonly<Record<Settings["mode"], string>> = {
  exact: "Every 7×7 patch of the relevance map is compared with its 64 most similar patches, found exactly.",
  fast: "The most similar patches are found by an estimate: nearly the same map in a third of the time.",
};

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
        options={compositeNames().map((name) => [name, name])}
        onValue={(next) => change({ composite: next })}
      />
      <p class="hint">{compositeSummary(composite)}</p>
      <SelectField
        name="Areas"
        value={mode}
        options={[
          ["fast", "fast"],
          ["exact", "exact"],
        ]}
        onValue={(next) => change({ mode: next === "exact" ? "exact" : "fast" })}
      />
      <p class="hint">{modeHints[mode]}</p>
      <SelectField
        name="Patches of"
        value={feature}
        options={[
          ["lab", "colours of the heat map"],
          ["gray", "relevance itself"],
        ]}
        onValue={(next) => change({ feature: next === "gray" ? "gray" : "lab" })}
      />
      <SelectField
        name="Inside the network"
        value={at}
        options={[["", "at the photo"], ...layers.map((layer) => [layer, `at ${layer}`] as const)]}
        onValue={(next) => change({ at: next, view: "relevance" })}
      />
    </section>
  );
}
