import { useEffect, useRef, useState } from 'react';
import styles from './search-box.module.css';

/** Pause after the last key before the search runs and the URL changes. */
const PAUSE_MS = 150;

/** The page's search: `/` comes here from anywhere, Escape empties it. */
export function SearchBox({
  value,
  onChange,
  label,
  placeholder,
}: {
  value: string;
  onChange: (text: string) => void;
  label: string;
  placeholder: string;
}) {
  const [text, setText] = useState(value);
  const [lastValue, setLastValue] = useState(value);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  // Changed from outside, by a link or the way back; what is being typed is newer than the URL.
  if (value !== lastValue) {
    setLastValue(value);
    setText(value);
  }
  useEffect(() => () => clearTimeout(timer.current), []);
  const change = (next: string, pauseMs: number) => {
    setText(next);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => onChange(next), pauseMs);
  };
  return (
    <div className={styles['box']}>
      <input
        type="search"
        data-search=""
        className={styles['input']}
        aria-label={label}
        placeholder={placeholder}
        value={text}
        spellCheck={false}
        autoComplete="off"
        onChange={(event) => change(event.currentTarget.value, PAUSE_MS)}
        onKeyDown={(event) => {
          if (event.key === 'Escape') {
            change('', 0);
            event.currentTarget.blur();
          } else if (event.key === 'Enter') change(text, 0);
        }}
      />
      <kbd className={styles['key']} aria-hidden="true">
        /
      </kbd>
    </div>
  );
}
