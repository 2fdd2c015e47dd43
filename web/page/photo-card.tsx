import type { JSX } from "preact";
import { examples } from "./bundled.ts";
import type { PageCamera } from "./camera.ts";
import { Icon } from "./icon.tsx";
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
    <section class="photos" aria-label="Photo">
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
        <Icon name="photo" />
        <strong>Choose a photo</strong> <small>or drop or paste one</small>
      </label>
      {examples.map((example) => (
        <button
          key={example.name}
          type="button"
          class="thumb"
          title={example.title}
          onClick={() => onExample(example.name)}
        >
          <img src={example.file} alt={example.title} width="48" height="48" />
        </button>
      ))}
      <button type="button" class="plain" aria-pressed={isOn} onClick={() => void camera.toggle()}>
        <Icon name="camera" />
        <span>{isOn ? "Stop camera" : "Camera"}</span>
      </button>
    </section>
  );
}
