import { Button } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { useProject } from '../../api/project.js';
import { recordLines } from '../../api/queries.js';
import styles from './lines.module.css';

interface RecordLinesProps {
  readonly service: string;
  readonly environment: string | undefined;
  readonly process: string | undefined;
}

/** Asks one process to record lines, and says what came of it. */
export function RecordLines({ service, environment, process }: RecordLinesProps) {
  const project = useProject();
  const asking = useMutation({
    mutationFn: () => recordLines(project, service, { ...(environment ? { environment } : {}), ...(process ? { process } : {}) }),
  });
  return (
    <span className={styles['record']}>
      <Button variant="default" loading={asking.isPending} onClick={() => asking.mutate()}>
        Record lines for a minute
      </Button>
      <span role="status" className={styles['note']}>
        {asking.error
          ? asking.error.message
          : asking.data
            ? `Process ${asking.data.processes[0]!.slice(0, 8)} is asked when it next sends; its first lines are here within half a minute after.`
            : ''}
      </span>
    </span>
  );
}
