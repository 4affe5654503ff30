import { Button } from '@mantine/core';
import { useClipboard } from '@mantine/hooks';
import styles from './snippet.module.css';

/** Text to be copied into a terminal. */
export function Snippet({ text, label }: { text: string; label: string }) {
  const clipboard = useClipboard({ timeout: 2000 });
  return (
    <div className={styles['snippet']}>
      <pre tabIndex={0} aria-label={label}>
        {text}
      </pre>
      <Button variant="default" onClick={() => clipboard.copy(text)} aria-label={`Copy: ${label}`}>
        {clipboard.copied ? 'Copied' : 'Copy'}
      </Button>
    </div>
  );
}
