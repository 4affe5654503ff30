import { Button } from '@mantine/core';
import { useQueryErrorResetBoundary } from '@tanstack/react-query';
import { Link, useRouter } from '@tanstack/react-router';
import { ApiError } from '../api/request.js';
import { ErrorNotice, SkeletonRows } from '../ui/notice.js';
import styles from './page.module.css';

/** As `PageError`, where not even the frame of the pages is there. */
export function RootError({ error }: { error: unknown }) {
  return (
    <main>
      <PageError error={error} />
    </main>
  );
}

/** Before it is known who is signed in: the frame's header, empty, and the lines of a page. */
export function RootPending() {
  return (
    <main className={styles['pending']}>
      <SkeletonRows rows={10} label="Loading Hearth" />
    </main>
  );
}

/** A page that could not be loaded or drawn. */
export function PageError({ error }: { error: unknown }) {
  const router = useRouter();
  const { reset } = useQueryErrorResetBoundary();
  const known = error instanceof ApiError ? error : undefined;
  return (
    <ErrorNotice
      title={known?.title ?? 'This page failed'}
      {...(known ? { code: known.code } : {})}
      action={
        <Button
          variant="default"
          onClick={() => {
            reset();
            void router.invalidate();
          }}
        >
          Try again
        </Button>
      }
    >
      {known?.message ??
        `The dashboard met something it did not expect (${error instanceof Error ? error.message : String(error)}). Reload the page; if it fails again, the link and this sentence are what a report needs.`}
    </ErrorNotice>
  );
}

export function NotFoundPage() {
  return (
    <main>
      <ErrorNotice title="There is no such page" action={<Link to="/services">Go to Services</Link>}>
        The address is not one of the dashboard. It may have been cut when it was copied.
      </ErrorNotice>
    </main>
  );
}

/** A question that the server refused or could not answer; what was on the page stays where there was something. */
export function QueryError({ error, onRetry }: { error: unknown; onRetry: () => void }) {
  const known = error instanceof ApiError ? error : undefined;
  return (
    <ErrorNotice
      title={known?.title ?? 'The answer could not be read'}
      {...(known ? { code: known.code } : {})}
      action={
        <Button variant="default" onClick={onRetry}>
          Try again
        </Button>
      }
    >
      {known?.message ?? String(error)}
    </ErrorNotice>
  );
}
