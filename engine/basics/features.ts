// What a build of the engine has beside forward pass, default composite, ledger and Salient Relevance: here, all of it. The build of
// srmap/browser/minimal puts features-minimal.ts in the place of this file, and the bundler leaves out what a false constant guards.

/** Convolutions by Winograd's algorithm; without it, algorithm "auto" is "direct". */
export const hasWinograd: boolean = true;
/** Kernels of their own for depthwise convolutions; without them every channel is a group like any other: slower, the same bytes. */
export const hasDepthwise: boolean = true;
/** Networks whose weights are read whenever a layer runs. */
export const hasStreaming: boolean = true;
/** Rules beside those of the default composite. */
export const hasRuleLibrary: boolean = true;
/** Targets beside classes, and relevance at inner layers. */
export const hasTargets: boolean = true;
/** Settings of the Salient Relevance step that choose another method. */
export const hasSalientVariants: boolean = true;
/** Photos in gray, for networks of one channel. */
export const hasGrayPhotos: boolean = true;
/** What a misspelt name was meant to be, in errors. */
export const hasSuggestions: boolean = true;
