import { useEffect, useState } from "preact/hooks";
import { defaultComposite } from "../../engine/rules/composites.ts";
import { examples } from "./bundled.ts";
import { readLink, type Settings, writeLink } from "./link.ts";

const defaults: Settings = {
  composite: defaultComposite,
  mode: "fast",
  feature: "lab",
  view: "areas",
  strength: 1,
  at: "",
  example: examples[0]?.name ?? "", // a page that was built without examples begins empty
};

/** The settings that the address held when the page was opened, and a way to change them, which the address follows. */
export function useSettings(): readonly [settings: Settings, change: (changed: Partial<Settings>) => void] {
  const [settings, setSettings] = useState(() => readLink(location.hash, defaults));
  useEffect(() => {
    const fragment = writeLink(settings, defaults);
    history.replaceState(null, "", fragment === "" ? location.pathname : `#${fragment}`);
  }, [settings]);
  return [settings, (changed) => setSettings((before) => ({ ...before, ...changed }))];
}
