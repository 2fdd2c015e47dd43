import type { JSX } from "preact";
import type { Target } from "../../engine/request/target.ts";
import type { ExplainedPhoto } from "../../workers/explainer/messages.ts";
import { Icon } from "./icon.tsx";

/** The class that is explained, and the one that waits for another to be compared with. */
export interface Choice {
  readonly target: Target;
  readonly compared: number | undefined;
}

/** A class's probability, or its score where a single one has none. */
export function scoreText(probability: number | undefined, logit: number): string {
  if (probability === undefined) return `score ${logit.toPrecision(3)}`;
  return probability > 0 && probability < 0.0005 ? "< 0.1 %" : `${(100 * probability).toFixed(1)} %`;
}

/** What a class is in the explanation: red in its map, blue in it, or no part of it (empty). */
function partOf(index: number, explained: ExplainedPhoto, { target }: Choice): "for" | "against" | "" {
  if (explained.targetKind === "class") return explained.target.index === index ? "for" : "";
  if (typeof target !== "object" || !("difference" in target)) return "";
  const [first, second] = target.difference;
  return first === index ? "for" : second === index ? "against" : "";
}

interface ClassesProps {
  readonly explained: ExplainedPhoto | undefined;
  readonly choice: Choice;
  readonly onTarget: (target: Target) => void;
  /** Told the class that is chosen as the first of a difference. */
  readonly onCompare: (index: number | undefined) => void;
}

/** The likeliest classes as bars: one click explains a class, two chosen for comparing give their difference. */
export function Classes({ explained, choice, onTarget, onCompare }: ClassesProps): JSX.Element {
  const { compared } = choice;
  const choose = (index: number): void => {
    onTarget(compared === undefined || compared === index ? index : { difference: [compared, index] });
  };
  return (
    <section class={`card classes ${compared === undefined ? "" : "comparing"}`} aria-label="Classes">
      <h2>It sees</h2>
      {explained === undefined ? <Ghosts /> : null}
      <ol>
        {explained?.top.map(({ index, label, logit, probability }) => {
          const part = partOf(index, explained, choice);
          return (
            <li key={index}>
              <button
                type="button"
                class={`class ${part}`}
                aria-pressed={explained.targetKind === "class" && part === "for"}
                onClick={() => choose(index)}
                title={
                  compared === undefined
                    ? `Explain ${label}`
                    : `Explain what speaks for the compared class and not for ${label}`
                }
              >
                <span class="fill" style={{ width: `${(100 * (probability ?? 0)).toFixed(1)}%` }} aria-hidden="true" />
                <span class="label">{label}</span>
                <span class="number">{scoreText(probability, logit)}</span>
              </button>
              <button
                type="button"
                class="compare"
                aria-pressed={compared === index}
                aria-label={`Compare ${label} with another class`}
                title="Compare with another class: choose this, then click the other"
                onClick={() => onCompare(compared === index ? undefined : index)}
              >
                <Icon name="compare" />
              </button>
            </li>
          );
        })}
      </ol>
      {explained === undefined ? null : (
        <p class="hint">
          {compared === undefined
            ? `Shown: ${explained.targetDescription}. Click a class for its own map, the arrows to compare two.`
            : "Now click the class to compare with."}
        </p>
      )}
    </section>
  );
}

/** The places of classes to come. */
function Ghosts(): JSX.Element {
  return (
    <div class="ghosts" aria-hidden="true">
      {[0, 1, 2, 3, 4].map((i) => (
        <span key={i} />
      ))}
    </div>
  );
}
