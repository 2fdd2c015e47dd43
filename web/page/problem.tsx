import type { JSX } from "preact";
import { preprocessingAdvice } from "../../engine/picture/preprocess.ts";
import { Icon } from "./icon.tsx";

// What the page has instead of the options that messages advise.
const pageAdvice = 'Choose it under "Photos prepared" in the card of the network, then "Explain with it" again.';

/** What to tell people of an error: of options of the command, where a page has other ways or none. */
export function problemText(error: unknown): string {
  const text = (error instanceof Error ? error.message : String(error)).replace(preprocessingAdvice, pageAdvice);
  return / --[a-z]|\(--[a-z]/.test(text) ? `${text} The page has no such option, the command srmap has it.` : text;
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
