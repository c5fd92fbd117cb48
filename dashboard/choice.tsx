/*
 * One of a few, as buttons side by side.
 */
import type { ComponentChildren } from 'preact';

export interface ChoiceProps<T> {
  /** What is chosen, for those who can't see it. */
  readonly name: string;
  readonly options: readonly { readonly value: T; readonly label: ComponentChildren }[];
  readonly chosen: T;
  readonly choose: (value: T) => void;
}

export function Choice<T extends string | number>({ name, options, chosen, choose }: ChoiceProps<T>) {
  return (
    <fieldset class="choice">
      <legend class="hidden">{name}</legend>
      {options.map(({ value, label }) => (
        <button key={value} type="button" aria-pressed={value === chosen} onClick={() => choose(value)}>
          {label}
        </button>
      ))}
    </fieldset>
  );
}
