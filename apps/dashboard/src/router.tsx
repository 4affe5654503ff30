import type { QueryClient } from '@tanstack/react-query';
import {
  createRootRouteWithContext,
  createRoute,
  createRouter,
  lazyRouteComponent,
  redirect,
  retainSearchParams,
  stripSearchParams,
  type SearchSchemaInput,
} from '@tanstack/react-router';
import { sessionQuery } from './api/queries.js';
import { AppFrame } from './pages/app-frame.js';
import { NotFoundPage, PageError, RootError, RootPending } from './pages/page-error.js';
import {
  COMPARE_PARAMETERS,
  COMPARISON_PARAMETERS,
  EXPLORE_PARAMETERS,
  INSTALL_PARAMETERS,
  ROOT_PARAMETERS,
  searchOf,
  SIGN_IN_PARAMETERS,
  TRANSACTIONS_PARAMETERS,
} from './url-state/page-search.js';
import { parseSearch, stringifySearch, type Parameters, type SearchOf } from './url-state/search-codec.js';

type RootSearch = SearchOf<typeof ROOT_PARAMETERS>;
/** What a link may say: any part of it. */
type Asked<P extends Parameters> = Partial<SearchOf<P>> & SearchSchemaInput;

/** A page's search: read with defaults, written without them. */
function pageSearch<P extends Parameters>(parameters: P) {
  const { read, missing } = searchOf(parameters);
  return {
    validateSearch: (raw: Asked<P>): SearchOf<P> => read(raw),
    // Its type asks which keys `missing` has, which no one knows while `P` is open.
    search: { middlewares: [stripSearchParams<SearchOf<P> & RootSearch>(missing as never)] },
  };
}

const root = createRootRouteWithContext<{ queryClient: QueryClient }>()({
  validateSearch: (raw: Asked<typeof ROOT_PARAMETERS>): RootSearch => searchOf(ROOT_PARAMETERS).read(raw),
  search: { middlewares: [retainSearchParams(['project']), stripSearchParams({ project: '' })] },
  errorComponent: RootError,
  notFoundComponent: NotFoundPage,
});

const signIn = createRoute({
  getParentRoute: () => root,
  path: '/sign-in',
  ...pageSearch(SIGN_IN_PARAMETERS),
  component: lazyRouteComponent(() => import('./pages/sign-in-page.js'), 'SignInPage'),
});

/** Everything behind the session. */
const app = createRoute({
  getParentRoute: () => root,
  id: 'app',
  component: AppFrame,
  errorComponent: RootError,
  pendingComponent: RootPending,
  pendingMs: 200,
  beforeLoad: async ({ context, location }) => {
    const session = await context.queryClient.ensureQueryData(sessionQuery);
    if (!session) throw redirect({ to: '/sign-in', search: { next: location.href } });
    return { session };
  },
});
const home = createRoute({
  getParentRoute: () => app,
  path: '/',
  beforeLoad: () => {
    throw redirect({ to: '/services' });
  },
});
const services = createRoute({
  getParentRoute: () => app,
  path: '/services',
  component: lazyRouteComponent(() => import('./pages/services-page.js'), 'ServicesPage'),
});
const explore = createRoute({
  getParentRoute: () => app,
  path: '/explore',
  ...pageSearch(EXPLORE_PARAMETERS),
  component: lazyRouteComponent(() => import('./pages/explore-page.js'), 'ExplorePage'),
});
const transactions = createRoute({
  getParentRoute: () => app,
  path: '/transactions',
  ...pageSearch(TRANSACTIONS_PARAMETERS),
  component: lazyRouteComponent(() => import('./pages/transactions-page.js'), 'TransactionsPage'),
});
const compare = createRoute({
  getParentRoute: () => app,
  path: '/compare',
  ...pageSearch(COMPARE_PARAMETERS),
  component: lazyRouteComponent(() => import('./pages/compare-page.js'), 'ComparePage'),
});
const comparison = createRoute({
  getParentRoute: () => app,
  path: '/compare/$comparisonId',
  ...pageSearch(COMPARISON_PARAMETERS),
  component: lazyRouteComponent(() => import('./pages/comparison-page.js'), 'ComparisonPage'),
});
const install = createRoute({
  getParentRoute: () => app,
  path: '/install',
  ...pageSearch(INSTALL_PARAMETERS),
  component: lazyRouteComponent(() => import('./pages/install-page.js'), 'InstallPage'),
});

export function createDashboardRouter(queryClient: QueryClient) {
  return createRouter({
    routeTree: root.addChildren([signIn, app.addChildren([home, services, explore, transactions, compare, comparison, install])]),
    context: { queryClient },
    parseSearch,
    stringifySearch,
    defaultPreload: 'intent',
    scrollRestoration: true,
    defaultNotFoundComponent: NotFoundPage,
    defaultErrorComponent: PageError,
  });
}

declare module '@tanstack/react-router' {
  interface Register {
    router: ReturnType<typeof createDashboardRouter>;
  }
}
