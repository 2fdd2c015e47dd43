import type { JSX } from "preact";

/** What to tell people of an error. */
export function problemText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** What went wrong, in a sentence; nothing where nothing did. */
export function Problem({ text }: { readonly text: string }): JSX.Element | null {
  if (text === "") return null;
  return (
    <p class="problem" role="alert">
      {text}
    </p>
  );
}
