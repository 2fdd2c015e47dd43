import type { Image } from "../engine/picture/image.ts";

/** A decoded photo. */
export interface Photo {
  /** Upright (EXIF and XMP orientation applied), values as stored, alpha as stored. */
  readonly image: Image;
  /** What the colour profile in the file calls itself; undefined without one. Profiles are not applied. */
  readonly colorProfile: string | undefined;
}
