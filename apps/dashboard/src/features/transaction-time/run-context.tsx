import { Button } from '@mantine/core';
import { useClipboard } from '@mantine/hooks';
import type { ExemplarAnswer } from '@hearth/query-contract';
import { formatMoment } from '../../format/moment.js';
import { visibleText } from '../../format/visible-text.js';
import tables from '../../ui/table.module.css';
import styles from './run.module.css';

const TRANSACTION = 'transaction';

/** What was given to a run, and where it ran. */
export function RunContext({ answer }: { answer: ExemplarAnswer }) {
  const { context, labels, traceId, spanId } = answer;
  const counted = new Map(labels);
  const where = [
    ['Began', formatMoment(answer.startMs)],
    ['Release', answer.revision],
    ['Environment', answer.environment],
    ['Host', answer.host],
    ['Process', answer.process],
  ].filter(([, value]) => value !== '');
  return (
    <div className={styles['context']}>
      <table className={tables['table']} aria-label="Context">
        <thead>
          <tr>
            <th>Label</th>
            <th>Value</th>
          </tr>
        </thead>
        <tbody>
          {context
            .filter(([name]) => name !== TRANSACTION)
            .map(([name, value]) => (
              <tr key={name}>
                <td>{visibleText(name)}</td>
                <td className={styles['value']}>
                  {visibleText(value)}
                  {counted.has(name) && counted.get(name) !== value && (
                    <span className={tables['dim']}> (counted as {visibleText(counted.get(name)!)})</span>
                  )}
                </td>
              </tr>
            ))}
          {context.every(([name]) => name === TRANSACTION) && (
            <tr>
              <td colSpan={2} className={tables['dim']}>
                None: what <code>tag()</code> is given stands here.
              </td>
            </tr>
          )}
        </tbody>
      </table>
      <table className={tables['table']} aria-label="Where it ran">
        <thead>
          <tr>
            <th>Where</th>
            <th aria-label="Value" />
          </tr>
        </thead>
        <tbody>
          {where.map(([name, value]) => (
            <tr key={name}>
              <td>{name}</td>
              <td className={styles['value']}>{visibleText(value!)}</td>
            </tr>
          ))}
          {traceId !== '' && <CopyRow name="Trace" value={traceId} />}
          {spanId !== '' && <CopyRow name="Span" value={spanId} />}
        </tbody>
      </table>
    </div>
  );
}

function CopyRow({ name, value }: { name: string; value: string }) {
  const clipboard = useClipboard({ timeout: 2000 });
  return (
    <tr>
      <td>{name}</td>
      <td className={styles['value']}>
        <code>{visibleText(value)}</code>{' '}
        <Button variant="default" size="compact-xs" onClick={() => clipboard.copy(value)} aria-label={`Copy: ${name}`}>
          {clipboard.copied ? 'Copied' : 'Copy'}
        </Button>
      </td>
    </tr>
  );
}
