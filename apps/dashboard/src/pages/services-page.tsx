import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { ServiceAnswer } from '@hearth/query-contract';
import { useProject } from '../api/project.js';
import { servicesQuery } from '../api/queries.js';
import { formatSpan } from '../format/moment.js';
import { formatCount, formatIn, formatNumber, scaleFor, UNKNOWN } from '../format/quantity.js';
import { shortRevision, visibleText } from '../format/visible-text.js';
import { EmptyNotice, SkeletonRows } from '../ui/notice.js';
import { Sparkline } from '../ui/sparkline.js';
import tables from '../ui/table.module.css';
import { QueryError } from './page-error.js';
import styles from './page.module.css';

/** A service not heard of for this long is marked as silent. */
const SILENT_AFTER_MS = 120_000;

export function ServicesPage() {
  const { data: services, error, refetch, dataUpdatedAt } = useQuery(servicesQuery(useProject()));
  return (
    <div className={styles['page']}>
      <div className={styles['head']}>
        <h1>Services</h1>
        <span className={styles['note']}>Figures of the last 15 minutes, CPU of the last 30</span>
      </div>
      {services ? (
        <ServiceTable services={services} nowMs={dataUpdatedAt} />
      ) : error ? (
        <QueryError error={error} onRetry={() => void refetch()} />
      ) : (
        <SkeletonRows rows={8} label="Loading services" />
      )}
    </div>
  );
}

function ServiceTable({ services, nowMs }: { services: readonly ServiceAnswer[]; nowMs: number }) {
  if (services.length === 0) {
    return (
      <EmptyNotice title="No service has sent anything yet" action={<Link to="/install">Install the agent</Link>}>
        Installing the agent takes one command and one environment variable. The first flame graph is here about a minute later.
      </EmptyNotice>
    );
  }
  const memory = scaleFor('bytes', Math.max(...services.map(({ rssBytes }) => rssBytes ?? 0)));
  const duration = scaleFor('microseconds', Math.max(...services.map(({ durationP95Micros }) => durationP95Micros ?? 0)));
  return (
    <table className={tables['table']}>
      <thead>
        <tr>
          <th>Service</th>
          <th>Environments</th>
          <th>CPU, 30 min</th>
          <th className={tables['figure']}>CPU, cores</th>
          <th className={tables['figure']}>Memory, {memory.unit}</th>
          <th className={tables['figure']}>p95, {duration.unit}</th>
          <th className={tables['figure']}>Transactions / min</th>
          <th className={tables['figure']}>Processes</th>
          <th>Latest revision</th>
          <th className={tables['figure']}>Last seen</th>
          <th />
        </tr>
      </thead>
      <tbody>
        {services.map((service) => {
          const silentMs = nowMs - service.lastSeenMs;
          return (
            <tr key={service.name}>
              <td className={tables['wide']}>
                <Link to="/explore" search={{ service: service.name }} className={tables['link']}>
                  <strong>{visibleText(service.name)}</strong>
                </Link>
              </td>
              <td className={tables['clipped']} title={service.environments.map(visibleText).join(', ')}>
                {service.environments.map(visibleText).join(', ')}
              </td>
              <td>
                <Sparkline
                  values={service.cpuCoresByMinute}
                  label={`CPU of ${visibleText(service.name)} in the last 30 minutes`}
                />
              </td>
              <td className={tables['figure']}>{service.cpuCores === null ? UNKNOWN : formatNumber(service.cpuCores)}</td>
              <td className={tables['figure']}>{formatIn(memory, service.rssBytes)}</td>
              <td className={tables['figure']}>{formatIn(duration, service.durationP95Micros)}</td>
              <td className={tables['figure']}>{formatCount(service.transactionsPerMinute)}</td>
              <td className={tables['figure']}>{formatCount(service.processesNow)}</td>
              <td className={tables['clipped']}>
                {service.latestRevision === null ? (
                  <span className={tables['dim']}>not known</span>
                ) : (
                  <code>{shortRevision(service.latestRevision)}</code>
                )}
              </td>
              <td className={tables['figure']} title={new Date(service.lastSeenMs).toISOString()}>
                {silentMs > SILENT_AFTER_MS ? `silent for ${formatSpan(silentMs)}` : `${formatSpan(silentMs)} ago`}
              </td>
              <td>
                <Link to="/compare" search={{ service: service.name }} className={tables['link']}>
                  Compare
                </Link>
              </td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}
