import type { JSX } from "preact";
import { examples } from "./bundled.ts";
import type { PageCamera } from "./camera.ts";
import { type NamedPhoto, namedPhoto } from "./photos.ts";

interface PhotoCardProps {
  readonly camera: PageCamera;
  readonly onPhoto: (photo: NamedPhoto) => void;
  readonly onExample: (name: string) => void;
}

/** Where photos come from: files, examples, the camera. */
export function PhotoCard({ camera, onPhoto, onExample }: PhotoCardProps): JSX.Element {
  const isOn = camera.rate !== undefined;
  return (
    <section class="card photos" aria-label="Photo">
      <label class="drop">
        <input
          type="file"
          accept="image/*"
          onChange={(event) => {
            const file = event.currentTarget.files?.[0];
            event.currentTarget.value = ""; // so that the same file can be chosen again
            if (file !== undefined) onPhoto(namedPhoto(file));
          }}
        />
        <strong>Choose a photo</strong> <span>or drop or paste one anywhere</span>
      </label>
      <div class="row">
        {examples.map((example) => (
          <button key={example.name} type="button" class="thumb" onClick={() => onExample(example.name)}>
            <img src={example.file} alt={example.title} width="56" height="56" />
          </button>
        ))}
        <button type="button" class="plain" aria-pressed={isOn} onClick={() => void camera.toggle()}>
          {isOn ? "Stop camera" : "Camera"}
        </button>
      </div>
    </section>
  );
}
