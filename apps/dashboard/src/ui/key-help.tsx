import { Modal } from '@mantine/core';
import styles from './key-help.module.css';

const KEYS: readonly (readonly [keys: readonly string[], does: string])[] = [
  [['/'], 'Search this page'],
  [['?'], 'These keys'],
  [['g', 's'], 'Go to Services'],
  [['g', 'e'], 'Go to Explore'],
  [['g', 'c'], 'Go to Compare'],
  [['g', 't'], 'Go to Transactions'],
  [['↑', '↓', '←', '→'], 'Walk the frames of a flame graph'],
  [['Enter'], 'Zoom to the frame'],
  [['Esc'], 'One zoom back; empty the search'],
  [['Home'], 'Show the whole graph'],
  [['[', ']'], 'Previous, next change of a comparison, or slow run'],
  [['x'], 'Swap baseline and candidate'],
];

export function KeyHelp({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  return (
    <Modal opened={opened} onClose={onClose} title="Keys" size={420} closeButtonProps={{ 'aria-label': 'Close' }}>
      <dl className={styles['keys']}>
        {KEYS.map(([keys, does]) => (
          <div key={does} className={styles['row']}>
            <dt>
              {keys.map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dt>
            <dd>{does}</dd>
          </div>
        ))}
      </dl>
    </Modal>
  );
}
