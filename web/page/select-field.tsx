import type { JSX } from "preact";
import { useId } from "preact/hooks";

/** What can be chosen, and how it is called. */
export type FieldOption = readonly [value: string, text: string];

interface FieldProps {
  readonly name: string;
  readonly value: string;
  readonly options: readonly FieldOption[];
  readonly onValue: (value: string) => void;
}

const asOptions = (options: readonly FieldOption[]): JSX.Element[] =>
  options.map(([option, text]) => (
    <option key={option} value={option}>
      {text}
    </option>
  ));

interface SelectFieldProps extends FieldProps {
  /** Further options under headings. */
  readonly groups?: readonly (readonly [title: string, options: readonly FieldOption[]])[];
}

/** A choice of one from a list, with its name before it. */
export function SelectField({ name, value, options, groups = [], onValue }: SelectFieldProps): JSX.Element {
  return (
    <label class="field">
      <span>{name}</span>
      <select value={value} onChange={(event) => onValue(event.currentTarget.value)}>
        {asOptions(options)}
        {groups.map(([title, grouped]) => (
          <optgroup key={title} label={title}>
            {asOptions(grouped)}
          </optgroup>
        ))}
      </select>
    </label>
  );
}

/** A choice of one from a few, all in sight. */
export function RadioField({ name, value, options, onValue }: FieldProps): JSX.Element {
  const group = useId();
  return (
    <fieldset class="field">
      <legend>{name}</legend>
      <span aria-hidden="true">{name}</span>
      <div class="choices">
        {options.map(([option, text]) => (
          <label key={option}>
            <input type="radio" name={group} checked={value === option} onChange={() => onValue(option)} />
            <span>{text}</span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}
