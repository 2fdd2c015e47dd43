import type { JSX } from "preact";

// Lines on a field of 24.
const paths = {
  photo: "M4 5h16v14H4zM4 16l5-5 4 4 3-3 4 4M15.5 9.5h.01",
  camera: "M4 8h3l2-3h6l2 3h3v11H4zM12 10a3.2 3.2 0 1 0 .01 0z",
  compare: "M4 9h15m-4-4 4 4-4 4M20 16H5m4-4-4 4 4 4",
  close: "M6 6l12 12M18 6 6 18",
} as const;

/** A picture on a button; the button's text says what it does. */
export function Icon({ name }: { readonly name: keyof typeof paths }): JSX.Element {
  return (
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true">
      <path d={paths[name]} />
    </svg>
  );
}
