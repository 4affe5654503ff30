import { Button, Popover } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';
import { useProject } from '../../api/project.js';
import { labelsQuery, labelValuesQuery } from '../../api/queries.js';
import { visibleText } from '../../format/visible-text.js';
import { Choice } from '../../ui/choice.js';
import { LABEL_OPERATORS, type LabelFilter, type LabelOperator } from '../../url-state/label-filter.js';
import styles from './selection.module.css';

interface LabelFiltersProps {
  readonly service: string;
  readonly range: { readonly from: string; readonly until: string };
  readonly labels: readonly LabelFilter[];
  readonly onChange: (labels: readonly LabelFilter[]) => void;
}

/** The conditions on labels, each of which can be taken away, and a small form for one more. */
export function LabelFilters({ service, range, labels, onChange }: LabelFiltersProps) {
  const [opened, setOpened] = useState(false);
  return (
    <>
      {labels.map((filter, index) => (
        <span key={filter.join('\0')} className={styles['chip']}>
          <span className={styles['chipText']}>{filter.map(visibleText).join(' ')}</span>
          <button
            type="button"
            aria-label={`Remove the filter ${filter.map(visibleText).join(' ')}`}
            onClick={() => onChange(labels.filter((_, other) => other !== index))}
          >
            ×
          </button>
        </span>
      ))}
      <Popover opened={opened} onChange={setOpened} position="bottom-start" trapFocus withinPortal>
        <Popover.Target>
          <Button variant="default" onClick={() => setOpened(!opened)}>
            + Label
          </Button>
        </Popover.Target>
        <Popover.Dropdown>
          <NewFilter
            service={service}
            range={range}
            onAdd={(filter) => {
              setOpened(false);
              onChange([...labels, filter]);
            }}
          />
        </Popover.Dropdown>
      </Popover>
    </>
  );
}

function NewFilter({
  service,
  range,
  onAdd,
}: {
  service: string;
  range: LabelFiltersProps['range'];
  onAdd: (filter: LabelFilter) => void;
}) {
  const project = useProject();
  const [name, setName] = useState('');
  const [operator, setOperator] = useState<LabelOperator>('=');
  const [value, setValue] = useState('');
  const names = useQuery(labelsQuery(project, service, range));
  const values = useQuery(labelValuesQuery(project, service, name, range));
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (name !== '') onAdd([name, operator, value]);
  };
  if (names.data?.labels.length === 0) {
    return (
      <p className={styles['hint']}>
        No sample of this range has a label. Labels come from <code>tag()</code> and from the options of{' '}
        <code>transaction()</code>.
      </p>
    );
  }
  const isPattern = operator.endsWith('~');
  return (
    <form className={styles['newFilter']} onSubmit={submit}>
      <Choice
        isInPopover
        label="Label name"
        anything="Label"
        widthPx={160}
        value={name}
        onChange={(next) => {
          setName(next);
          setValue('');
        }}
        options={(names.data?.labels ?? []).map((label) => ({
          value: label.name,
          label: `${visibleText(label.name)} (${label.values})`,
        }))}
      />
      <Choice
        isInPopover
        label="Operator"
        widthPx={64}
        value={operator}
        onChange={(next) => setOperator(next as LabelOperator)}
        options={LABEL_OPERATORS.map((known) => ({ value: known }))}
      />
      {isPattern ? (
        <input
          className={styles['input']}
          aria-label="Pattern of the whole value"
          placeholder="Pattern, e.g. pro|team"
          value={value}
          onChange={(event) => setValue(event.currentTarget.value)}
        />
      ) : (
        <Choice
          isInPopover
          label="Label value"
          anything="Value"
          widthPx={200}
          value={value}
          onChange={setValue}
          options={(values.data?.values ?? []).filter((known) => known !== '').map((known) => ({ value: known }))}
        />
      )}
      <Button type="submit" disabled={name === ''}>
        Add
      </Button>
    </form>
  );
}
