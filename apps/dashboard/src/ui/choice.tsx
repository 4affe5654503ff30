import { Select } from '@mantine/core';
import { visibleText } from '../format/visible-text.js';

export interface ChoiceOption {
  readonly value: string;
  /** The value itself when left out. */
  readonly label?: string;
}

interface ChoiceProps {
  readonly label: string;
  /** '' for none. */
  readonly value: string;
  readonly options: readonly ChoiceOption[];
  readonly onChange: (value: string) => void;
  /** Shown when nothing is chosen: what that means. Left out: something must be chosen. */
  readonly anything?: string;
  readonly widthPx?: number;
  /** Inside a popover, which would take a click on a list outside it for a click beside it. */
  readonly isInPopover?: boolean;
}

/** Mantine looks its options up by value in a plain object; with this in front no value is one of the language's own names. */
const GUARD = '=';

/** One of a list that can be searched by typing. Values come from profiles: any text. */
export function Choice({ label, value, options, onChange, anything, widthPx = 160, isInPopover = false }: ChoiceProps) {
  // What the URL asks for stays visible even if the list does not know it (any more).
  const known = value === '' || options.some((option) => option.value === value) ? options : [{ value }, ...options];
  return (
    <Select
      aria-label={label}
      w={widthPx}
      searchable
      clearable={anything !== undefined}
      allowDeselect={anything !== undefined}
      nothingFoundMessage="Nothing like it"
      {...(anything === undefined ? {} : { placeholder: anything })}
      data={known.map((option) => ({ value: GUARD + option.value, label: option.label ?? visibleText(option.value) }))}
      value={value === '' ? null : GUARD + value}
      onChange={(next) => onChange(next === null ? '' : next.slice(GUARD.length))}
      limit={200}
      comboboxProps={{ withinPortal: !isInPopover, shadow: 'md', transitionProps: { duration: 0 } }}
    />
  );
}
