import type { JSX } from "preact";
import { Icon } from "./icon.tsx";

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

interface ProblemNoticeProps {
  readonly text: string;
  readonly onClose: () => void;
}

/** What went wrong, at the foot of the window wherever the page is scrolled to, until the next thing works or it is closed. */
export function ProblemNotice({ text, onClose }: ProblemNoticeProps): JSX.Element | null {
  if (text === "") return null;
  return (
    <div class="notice">
      <Problem text={text} />
      <button type="button" class="close" aria-label="Close the message" onClick={onClose}>
        <Icon name="close" />
      </button>
    </div>
  );
}
