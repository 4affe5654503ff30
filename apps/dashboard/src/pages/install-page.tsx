import { Button, TextInput } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useRouteContext, useSearch } from '@tanstack/react-router';
import type { ServiceAnswer } from '@hearth/query-contract';
import { useState, type ReactNode } from 'react';
import { useProject } from '../api/project.js';
import { createApiKey, servicesQuery } from '../api/queries.js';
import { ApiError } from '../api/request.js';
import { visibleText } from '../format/visible-text.js';
import { Snippet } from '../ui/snippet.js';
import styles from './install-page.module.css';

const KEY_PLACEHOLDER = '<your ingest key>';

export function InstallPage() {
  const { service } = useSearch({ from: '/app/install' });
  const navigate = useNavigate({ from: '/install' });
  const { session } = useRouteContext({ from: '/app' });
  const project = useProject();
  const creating = useMutation({ mutationFn: () => createApiKey(project, service === '' ? 'agent' : `agent of ${service}`) });
  const key = creating.data?.key ?? KEY_PLACEHOLDER;
  const name = service === '' ? [] : [`HEARTH_SERVICE=${shellWord(service)}`];
  const environment = [`HEARTH_URL=${location.origin}`, `HEARTH_KEY=${shellWord(key)}`, ...name];

  return (
    <div className={styles['page']}>
      <h1>Install the agent in a Node.js service</h1>
      <ol className={styles['steps']}>
        <Step
          number={1}
          title="Install it"
          text="From this very server; nothing is fetched from elsewhere but the agent's own dependencies."
        >
          <Snippet label="Install command" text={`npm i ${location.origin}/install/agent.tgz`} />
        </Step>
        <Step number={2} title="Give it a key" text="A key for sending only: it cannot read anything.">
          <div className={styles['key']}>
            <TextInput
              label="Service name"
              description="Left empty: the name in the service's package.json"
              value={service}
              spellCheck={false}
              onChange={(event) => void navigate({ search: { service: event.currentTarget.value }, replace: true })}
            />
            {session.user.role === 'admin' ? (
              <Button loading={creating.isPending} onClick={() => creating.mutate()}>
                {creating.data ? 'Create another key' : 'Create a key and fill it in'}
              </Button>
            ) : (
              <p className={styles['hint']}>
                Only an admin can create keys. Ask one for an ingest key and put it in place of <code>{KEY_PLACEHOLDER}</code>.
              </p>
            )}
          </div>
          {creating.data && (
            <p className={styles['hint']}>
              Created. It is shown only here and only now: copy the next line before leaving this page.
            </p>
          )}
          {creating.error && (
            <p className={styles['error']} role="alert">
              {creating.error instanceof ApiError ? creating.error.message : String(creating.error)}
            </p>
          )}
        </Step>
        <Step
          number={3}
          title="Start the service with it"
          text="No code is changed. Requests become transactions by themselves; the revision is found from git, or set HEARTH_REVISION."
        >
          <Snippet label="Start command" text={`${environment.join(' \\\n')} \\\nnode --import @hearth/agent/preload app.js`} />
        </Step>
      </ol>
      <FirstBatch service={service} />
    </div>
  );
}

function Step({ number, title, text, children }: { number: number; title: string; text: string; children: ReactNode }) {
  return (
    <li className={styles['step']}>
      <span className={styles['number']} aria-hidden="true">
        {number}
      </span>
      <div className={styles['body']}>
        <h2>{title}</h2>
        <p className={styles['hint']}>{text}</p>
        {children}
      </div>
    </li>
  );
}

/** Watches until a service sends that did not send when the page was opened: the named one, or any new one. */
function FirstBatch({ service }: { service: string }) {
  const { data: services, dataUpdatedAt } = useQuery(servicesQuery(useProject(), 'closely'));
  const [before, setBefore] = useState<{ services: readonly ServiceAnswer[]; atMs: number }>();
  if (before === undefined && services) setBefore({ services, atMs: dataUpdatedAt });
  const arrived =
    before &&
    services?.find((candidate) => {
      const known = before.services.find(({ name }) => name === candidate.name);
      return service === ''
        ? known === undefined
        : candidate.name === service && (known === undefined || candidate.lastSeenMs > known.lastSeenMs);
    });
  if (!arrived) {
    return (
      <div className={styles['waiting']} role="status">
        <span className={styles['pulse']} aria-hidden="true" />
        <div>
          <h2>Waiting for the first batch{service === '' ? '' : ` of ${visibleText(service)}`}</h2>
          <p className={styles['hint']}>
            The agent sends every ten seconds. If nothing comes within a minute, look at what the service prints at its start: the
            agent says there what it could not do.
          </p>
        </div>
      </div>
    );
  }
  return (
    <div className={styles['arrived']} role="status">
      <span className={styles['tick']} aria-hidden="true">
        ✓
      </span>
      <div>
        <h2>{visibleText(arrived.name)} is sending</h2>
        <p className={styles['hint']}>
          The first flame graph is ready within half a minute.{' '}
          <Link to="/explore" search={{ service: arrived.name, from: 'now-15m' }}>
            Look at it
          </Link>
        </p>
      </div>
    </div>
  );
}

/** One word for a POSIX shell, whatever characters it has. */
function shellWord(text: string): string {
  return /^[\w.@%+:,/-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
