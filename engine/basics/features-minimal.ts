// What srmap/browser/minimal leaves out; the bundle's build puts this file in the place of features.ts.

/** Convolutions by Winograd's algorithm; without it, algorithm "auto" is "direct". */
export const hasWinograd: boolean = false;
/** Kernels of their own for depthwise convolutions; without them every channel is a group like any other: slower, the same bytes. */
export const hasDepthwise: boolean = false;
/** Networks whose weights are read whenever a layer runs. */
export const hasStreaming: boolean = false;
/** Rules beside those of the default composite. */
export const hasRuleLibrary: boolean = false;
/** Targets beside classes, and relevance at inner layers. */
export const hasTargets: boolean = false;
/** Settings of the Salient Relevance step that choose another method. */
export const hasSalientVariants: boolean = false;
/** Photos in gray, for networks of one channel. */
export const hasGrayPhotos: boolean = false;
/** What a misspelt name was meant to be, in errors. */
export const hasSuggestions: boolean = false;
