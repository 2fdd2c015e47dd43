import type { JSX } from "preact";

interface SelectFieldProps {
  readonly name: string;
  readonly value: string;
  /** What can be chosen, and how it is called. */
  readonly options: readonly (readonly [value: string, text: string])[];
  readonly onValue: (value: string) => void;
}

/** A choice of one from a list, with its name before it. */
export function SelectField({ name, value, options, onValue }: SelectFieldProps): JSX.Element {
  return (
    <label class="field">
      <span>{name}</span>
      <select value={value} onChange={(event) => onValue(event.currentTarget.value)}>
        {options.map(([option, text]) => (
          <option key={option} value={option}>
            {text}
          </option>
        ))}
      </select>
    </label>
  );
}
