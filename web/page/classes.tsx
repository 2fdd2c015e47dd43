import type { JSX } from "preact";
import type { Target } from "../../engine/request/target.ts";
import type { ExplainedPhoto } from "../../workers/explainer/messages.ts";

/** A class's probability, or its score where a single one has none. */
export function scoreText(probability: number | undefined, logit: number): string {
  if (probability === undefined) return `score ${logit.toPrecision(3)}`;
  return probability > 0 && probability < 0.0005 ? "< 0.1 %" : `${(100 * probability).toFixed(1)} %`;
}

/** The likeliest classes as bars: one click explains a class, two chosen for comparing give their difference. */
export function Classes({
  explained,
  compared,
  onTarget,
  onCompare,
}: {
  readonly explained: ExplainedPhoto | undefined;
  /** Class chosen as the first of a difference. */
  readonly compared: number | undefined;
  readonly onTarget: (target: Target) => void;
  readonly onCompare: (index: number | undefined) => void;
}): JSX.Element {
  if (explained === undefined) return <section class="card classes" aria-label="Classes" />;
  const choose = (index: number): void => {
    onTarget(compared === undefined || compared === index ? index : { difference: [compared, index] });
  };
  return (
    <section class="card classes" aria-label="Classes">
      <h2>It sees</h2>
      <ol>
        {explained.top.map(({ index, label, logit, probability }) => {
          const isExplained = explained.targetKind === "class" && explained.target.index === index;
          return (
            <li key={index}>
              <button
                type="button"
                class="class"
                aria-pressed={isExplained}
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
                ⇄
              </button>
            </li>
          );
        })}
      </ol>
      <p class="hint">
        {compared === undefined
          ? `Shown: ${explained.targetDescription}. Click a class for its own map.`
          : "Now click the class to compare with."}
      </p>
    </section>
  );
}
