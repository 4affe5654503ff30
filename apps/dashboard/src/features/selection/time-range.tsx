import { Button, Popover } from '@mantine/core';
import { useState, type FormEvent } from 'react';
import { formatRange, resolveTime } from '../../format/moment.js';
import styles from './selection.module.css';

const PRESETS = [
  ['now-15m', 'Last 15 minutes'],
  ['now-1h', 'Last hour'],
  ['now-6h', 'Last 6 hours'],
  ['now-24h', 'Last 24 hours'],
  ['now-7d', 'Last 7 days'],
] as const;

interface TimeRangeProps {
  readonly from: string;
  readonly until: string;
  readonly onChange: (range: { from: string; until: string }) => void;
}

/** Half-open range, relative to now or fixed. */
export function TimeRange({ from, until, onChange }: TimeRangeProps) {
  const [opened, setOpened] = useState(false);
  const [nowMs, setNowMs] = useState(Date.now);
  const fromMs = resolveTime(from, nowMs);
  const untilMs = resolveTime(until, nowMs);
  const preset = until === 'now' ? PRESETS.find(([value]) => value === from)?.[1] : undefined;
  const shown = preset ?? (fromMs === undefined || untilMs === undefined ? 'Choose a range' : formatRange(fromMs, untilMs));
  const choose = (range: { from: string; until: string }) => {
    setOpened(false);
    onChange(range);
  };
  return (
    <Popover opened={opened} onChange={setOpened} position="bottom-end" trapFocus withinPortal>
      <Popover.Target>
        <Button
          variant="default"
          onClick={() => {
            setNowMs(Date.now());
            setOpened(!opened);
          }}
          aria-label={`Time range: ${shown}`}
        >
          {shown}
        </Button>
      </Popover.Target>
      <Popover.Dropdown>
        <div className={styles['presets']}>
          {PRESETS.map(([value, title]) => (
            <button
              key={value}
              type="button"
              aria-pressed={preset === title}
              onClick={() => choose({ from: value, until: 'now' })}
            >
              {title}
            </button>
          ))}
        </div>
        <FixedRange fromMs={fromMs ?? nowMs - 3_600_000} untilMs={untilMs ?? nowMs} onChoose={choose} />
      </Popover.Dropdown>
    </Popover>
  );
}

function FixedRange({
  fromMs,
  untilMs,
  onChoose,
}: {
  fromMs: number;
  untilMs: number;
  onChoose: (range: { from: string; until: string }) => void;
}) {
  const [from, setFrom] = useState(inputText(fromMs));
  const [until, setUntil] = useState(inputText(untilMs));
  const range = { from: Date.parse(from), until: Date.parse(until) };
  const isRange = range.from < range.until;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (isRange) onChoose({ from: String(range.from), until: String(range.until) });
  };
  return (
    <form className={styles['fixed']} onSubmit={submit}>
      <label>
        From{' '}
        <input
          className={styles['input']}
          type="datetime-local"
          step={1}
          value={from}
          onChange={(event) => setFrom(event.currentTarget.value)}
        />
      </label>
      <label>
        Until{' '}
        <input
          className={styles['input']}
          type="datetime-local"
          step={1}
          value={until}
          onChange={(event) => setUntil(event.currentTarget.value)}
        />
      </label>
      <Button type="submit" disabled={!isRange}>
        Show this range
      </Button>
      <p className={styles['hint']}>Times of this browser ({Intl.DateTimeFormat().resolvedOptions().timeZone})</p>
    </form>
  );
}

/** `2025-11-20T14:02:31` in the reader's time, as the browser's input wants it. */
function inputText(atMs: number): string {
  const shifted = new Date(atMs - new Date(atMs).getTimezoneOffset() * 60_000);
  return shifted.toISOString().slice(0, 19);
}
