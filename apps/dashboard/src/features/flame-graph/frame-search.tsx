import { formatShare } from '../../format/quantity.js';
import { SearchBox } from '../../ui/search-box.js';
import type { FlameMatches } from './search.js';
import styles from './flame-graph.module.css';

interface FrameSearchProps {
  readonly search: string;
  readonly onSearch: (text: string) => void;
  /** `undefined`: nothing is searched for. */
  readonly matches: FlameMatches | undefined;
}

/** The line above a graph: what is searched for in it, and what was found. */
export function FrameSearch({ search, onSearch, matches }: FrameSearchProps) {
  return (
    <div className={styles['bar']}>
      <SearchBox value={search} onChange={onSearch} label="Search frames" placeholder="Search name, file, package or /pattern/" />
      <span className={styles['share']} role="status">
        {matches && foundText(matches)}
      </span>
    </div>
  );
}

function foundText({ functions, share, baselineShare, candidateShare }: FlameMatches): string {
  if (functions === 0) return 'No frame matches';
  const names = functions === 1 ? '1 function' : `${functions.toLocaleString('en-US')} functions`;
  const shares = baselineShare === null ? formatShare(share) : `${formatShare(baselineShare)} → ${formatShare(candidateShare)}`;
  return `${names}, ${shares} of total`;
}
