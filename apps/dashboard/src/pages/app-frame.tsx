import { useComputedColorScheme, useMantineColorScheme } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { Link, Outlet, useNavigate, useRouteContext, useSearch } from '@tanstack/react-router';
import { lazy, Suspense, useState } from 'react';
import { sessionQuery, signOut } from '../api/queries.js';
import { ProjectContext } from '../api/project.js';
import { visibleText } from '../format/visible-text.js';
import { useKeys } from '../ui/use-keys.js';
import styles from './app-frame.module.css';

const KeyHelp = lazy(async () => ({ default: (await import('../ui/key-help.js')).KeyHelp }));

const PAGES = [
  { to: '/services', title: 'Services' },
  { to: '/explore', title: 'Explore' },
  { to: '/transactions', title: 'Transactions' },
  { to: '/compare', title: 'Compare' },
  { to: '/install', title: 'Install' },
] as const;

/** What every page has: the way to the others, the project, the theme, the keys. */
export function AppFrame() {
  const { session } = useRouteContext({ from: '/app' });
  const { project: asked } = useSearch({ from: '/app' });
  // The service one looks at stays when going from page to page.
  const { service } = useSearch({ strict: false }) as { service?: string };
  const navigate = useNavigate();
  const [helpOpened, setHelpOpened] = useState(false);
  const project = session.projects.find(({ id }) => id === asked)?.id ?? session.projects[0]?.id ?? '';

  useKeys({
    '/': () => document.querySelector<HTMLInputElement>('[data-search]')?.focus(),
    '?': () => setHelpOpened(true),
    'g s': () => void navigate({ to: '/services' }),
    'g e': () => void navigate({ to: '/explore', search: service ? { service } : {} }),
    'g t': () => void navigate({ to: '/transactions', search: service ? { service } : {} }),
    'g c': () => void navigate({ to: '/compare', search: service ? { service } : {} }),
  });

  return (
    <ProjectContext value={project}>
      <a className={styles['skip']} href="#content">
        Skip to content
      </a>
      <div className={styles['frame']}>
        <header className={styles['header']}>
          <Link to="/services" className={styles['brand']}>
            <img src="/favicon.svg" alt="" width={16} height={16} />
            Hearth
          </Link>
          <nav className={styles['pages']} aria-label="Pages">
            {PAGES.map(({ to, title }) => (
              <Link
                key={to}
                to={to}
                search={service && to !== '/services' && to !== '/install' ? { service } : {}}
                className={styles['page']}
                activeProps={{ 'data-active': true }}
                activeOptions={{ includeSearch: false }}
              >
                {title}
              </Link>
            ))}
          </nav>
          <div className={styles['end']}>
            {session.projects.length > 1 && (
              <select
                aria-label="Project"
                className={styles['project']}
                value={project}
                onChange={(event) => void navigate({ to: '/services', search: { project: event.currentTarget.value } })}
              >
                {session.projects.map(({ id, name }) => (
                  <option key={id} value={id}>
                    {visibleText(name)}
                  </option>
                ))}
              </select>
            )}
            <SchemeToggle />
            <button type="button" className={styles['button']} onClick={() => setHelpOpened(true)}>
              Keys <kbd>?</kbd>
            </button>
            <SignOut email={session.user.email} />
          </div>
        </header>
        <main id="content" className={styles['content']} tabIndex={-1}>
          <Outlet />
        </main>
      </div>
      {helpOpened && (
        <Suspense>
          <KeyHelp opened onClose={() => setHelpOpened(false)} />
        </Suspense>
      )}
    </ProjectContext>
  );
}

/** System, then the other one, then back: two schemes, one button. */
function SchemeToggle() {
  const { setColorScheme } = useMantineColorScheme();
  const scheme = useComputedColorScheme('light');
  const other = scheme === 'light' ? 'dark' : 'light';
  const system = matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light';
  return (
    <button
      type="button"
      className={styles['button']}
      onClick={() => setColorScheme(other === system ? 'auto' : other)}
      aria-label={`Switch to the ${other} theme`}
    >
      {scheme === 'light' ? '☾' : '☀'} {other === 'dark' ? 'Dark' : 'Light'}
    </button>
  );
}

function SignOut({ email }: { email: string }) {
  const queryClient = useQueryClient();
  const navigate = useNavigate();
  const leave = async () => {
    await signOut().catch(() => undefined); // signed out here in any case: the next request asks again
    queryClient.clear();
    queryClient.setQueryData(sessionQuery.queryKey, null);
    await navigate({ to: '/sign-in' });
  };
  return (
    <button type="button" className={styles['button']} onClick={() => void leave()} title={visibleText(email)}>
      Sign out
    </button>
  );
}
