import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { SelectionInput } from '@hearth/query-contract';
import { useProject } from '../../api/project.js';
import { linesQuery, revisionsQuery } from '../../api/queries.js';
import { ApiError } from '../../api/request.js';
import { formatCount, formatQuantity, formatShare } from '../../format/quantity.js';
import { visibleText } from '../../format/visible-text.js';
import { Choice } from '../../ui/choice.js';
import { Dimmed } from '../../ui/dimmed.js';
import { EmptyNotice, SkeletonRows } from '../../ui/notice.js';
import { LineTable } from './line-table.js';
import { AskProcess } from './ask-process.js';
import styles from './lines.module.css';

export interface FileName {
  readonly package: string;
  readonly file: string;
}

interface LinesViewProps {
  readonly selection: SelectionInput;
  /** `file` empty: the one in which most ran. */
  readonly chosen: FileName;
  readonly onChoose: (file: FileName) => void;
  /** What else can be wrong with the question. */
  readonly renderError: (error: unknown, onRetry: () => void) => React.ReactNode;
}

/** What each line of one file cost, while lines were recorded. */
export function LinesView({ selection, chosen, onChoose, renderError }: LinesViewProps) {
  const project = useProject();
  // Numbers of lines mean something in one revision only: the last seen, if none is chosen.
  const revisions = useQuery(revisionsQuery(project, selection.service)).data;
  const latest = revisions?.reduce((last, one) => (one.lastSeenMs > last.lastSeenMs ? one : last), revisions[0]!);
  const revision = selection.revision ?? latest?.revision ?? '';
  const lines = useQuery(linesQuery(project, { ...selection, revision }, chosen));
  const { data, error } = lines;
  const record = <AskProcess service={selection.service} environment={selection.environment} process={selection.process} />;

  if (error instanceof ApiError && error.code === 'LINES_NOT_RECORDED') {
    if (chosen.file !== '')
      return (
        <EmptyNotice
          title="Nothing is known of this file here"
          action={
            <Button variant="default" onClick={() => onChoose(LARGEST)}>
              Show the file in which most ran
            </Button>
          }
        >
          {error.message}
        </EmptyNotice>
      );
    return (
      <EmptyNotice title="No lines were recorded in this range" action={record}>
        Samples know functions only. An agent that is asked samples the lines that run instead, for a minute: its samples of that
        minute carry no labels, and nothing else changes.
      </EmptyNotice>
    );
  }
  if (error && !data) return renderError(error, () => void lines.refetch());
  if (!data) return <SkeletonRows rows={14} label="Loading lines" />;
  return (
    <Dimmed stale={lines.isPlaceholderData} style={{ height: '100%' }}>
      <div className={styles['view']}>
        <div className={styles['bar']}>
          <Choice
            label="File"
            widthPx={420}
            value={fileKey(data)}
            onChange={(key) => onChoose(fileOf(key))}
            options={data.files
              .filter(({ file }) => file !== '')
              .map((one) => ({
                value: fileKey(one),
                label: `${placeOf(one)}  ${formatShare(one.self / (data.sum || 1))}`,
              }))}
          />
          <span className={styles['note']}>
            revision {visibleText(revision)} · {formatQuantity(data.sum, data.unit)} in all files, in{' '}
            {formatCount(data.recordings)} recording
            {data.recordings === 1 ? '' : 's'}
          </span>
          <span className={styles['end']}>{record}</span>
        </div>
        <LineTable answer={data} label={`Lines of ${placeOf(data)}`} />
      </div>
    </Dimmed>
  );
}

/** The file in which most ran, whichever it is. */
const LARGEST: FileName = { package: '', file: '' };

const placeOf = (name: FileName): string => visibleText(name.package === '' ? name.file : `${name.package} ${name.file}`);
const fileKey = (name: FileName): string => JSON.stringify([name.package, name.file]);

function fileOf(key: string): FileName {
  const [packageName, file] = JSON.parse(key) as [string, string];
  return { package: packageName, file };
}
