import type { ColormapName } from "../../engine/picture/colormap.ts";
import type { Color } from "./canvas.ts";

/** Colours of panels and sheets. */
export interface Theme {
  readonly background: Color;
  readonly ink: Color;
  /** Small print. Contrast with the background at least 4.5 to 1 (WCAG 2.2, 1.4.3), as of every colour of text here. */
  readonly quiet: Color;
  /** Frames and empty bars. */
  readonly faint: Color;
  readonly accent: Color;
  /** What the user must not miss. */
  readonly warning: Color;
  /** Colours of relevance maps unless told otherwise: 0 lies near the background. */
  readonly relevanceColormap: ColormapName;
}

/** Names of themes. */
export type ThemeName = "light" | "dark";

/** By name; the first is the usual one. */
export const themes: Readonly<Record<ThemeName, Theme>> = {
  light: {
    background: [255, 255, 255],
    ink: [24, 27, 33],
    quiet: [92, 99, 112],
    faint: [226, 229, 234],
    accent: [190, 62, 12],
    warning: [150, 84, 0],
    relevanceColormap: "bwr",
  },
  dark: {
    background: [19, 21, 26],
    ink: [238, 240, 244],
    quiet: [164, 171, 183],
    faint: [54, 58, 67],
    accent: [255, 140, 80],
    warning: [240, 186, 88],
    relevanceColormap: "coldnhot",
  },
};
