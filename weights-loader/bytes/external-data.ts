import type { ByteSource } from "./source.ts";

/** Opens a file of external data by its path relative to the model, which is checked to stay inside the model's folder. */
export type ExternalData = (location: string) => Promise<ByteSource>;
