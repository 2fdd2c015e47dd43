/** What of the page a link restores. */
export interface Settings {
  readonly composite: string;
  readonly mode: "exact" | "fast";
  readonly feature: "lab" | "gray";
  readonly view: View;
  /** Share of the map over the photo, 0 to 1. */
  readonly strength: number;
  /** Layer whose relevance is shown instead of the input's; empty for none. */
  readonly at: string;
  /** Name of an example photo; empty for a photo of one's own. */
  readonly example: string;
}

/** What the picture shows. */
export type View = "areas" | "relevance" | "salient" | "photo";

export const views: readonly View[] = ["areas", "relevance", "salient", "photo"];

/** The settings of a link's fragment; what is missing or not understood keeps its default. */
export function readLink(fragment: string, defaults: Settings): Settings {
  const given = new URLSearchParams(fragment.replace(/^#/, ""));
  const strength = Number(given.get("strength") ?? Number.NaN);
  const view = views.find((known) => known === given.get("view"));
  const mode = given.get("mode");
  const feature = given.get("feature");
  return {
    composite: given.get("composite") ?? defaults.composite,
    mode: mode === "exact" || mode === "fast" ? mode : defaults.mode,
    feature: feature === "lab" || feature === "gray" ? feature : defaults.feature,
    view: view ?? defaults.view,
    strength: strength >= 0 && strength <= 1 ? strength : defaults.strength,
    at: given.get("at") ?? defaults.at,
    example: given.get("example") ?? defaults.example,
  };
}

/** The fragment that `readLink` turns back into the settings: what differs from the defaults. */
export function writeLink(settings: Settings, defaults: Settings): string {
  const changed = Object.entries(settings).filter(([key, value]) => value !== defaults[key as keyof Settings]); // keys of settings
  return new URLSearchParams(changed.map(([key, value]) => [key, String(value)])).toString();
}
