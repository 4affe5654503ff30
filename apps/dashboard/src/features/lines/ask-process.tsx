import { Button } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { CommandKind } from '@hearth/query-contract';
import { useProject } from '../../api/project.js';
import { giveCommand } from '../../api/queries.js';
import styles from './lines.module.css';

interface AskProcessProps {
  readonly service: string;
  readonly environment: string | undefined;
  readonly process: string | undefined;
}

/** Asks one process to record lines, or to count calls, and says what came of it. */
export function AskProcess({ service, environment, process }: AskProcessProps) {
  const project = useProject();
  const asking = useMutation({
    mutationFn: (kind: CommandKind) =>
      giveCommand(project, service, { kind, ...(environment ? { environment } : {}), ...(process ? { process } : {}) }),
  });
  const ask = (kind: CommandKind, text: string, title: string) => (
    <Button
      variant="default"
      title={title}
      disabled={asking.isPending}
      loading={asking.isPending && asking.variables === kind}
      onClick={() => asking.mutate(kind)}
    >
      {text}
    </Button>
  );
  return (
    <span className={styles['record']}>
      {ask('record-lines', 'Record lines for a minute', 'Samples carry lines instead of labels meanwhile')}
      {ask(
        'count-calls',
        'Count calls for ten seconds',
        'How often each function is called, exactly; JavaScript runs slower meanwhile',
      )}
      <span role="status" className={styles['note']}>
        {asking.error ? (
          asking.error.message
        ) : asking.data ? (
          <Asked process={asking.data.processes[0]!} kind={asking.data.kind} service={service} />
        ) : (
          ''
        )}
      </span>
    </span>
  );
}

function Asked({ process, kind, service }: { readonly process: string; readonly kind: CommandKind; readonly service: string }) {
  const asked = `Process ${process.slice(0, 8)} is asked when it next sends`;
  if (kind === 'record-lines') return `${asked}; its first lines are here within half a minute after.`;
  return (
    <>
      {asked}; within half a minute after, its calls are{' '}
      <Link to="/explore" search={{ service, type: 'calls', view: 'table' }}>
        a profile of their own
      </Link>
      .
    </>
  );
}
