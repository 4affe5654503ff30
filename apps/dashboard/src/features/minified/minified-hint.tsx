import type { MinifiedFileAnswer } from '@hearth/query-contract';
import { visibleText } from '../../format/visible-text.js';
import { Caveat } from '../../ui/notice.js';
import { Snippet } from '../../ui/snippet.js';
import styles from './minified-hint.module.css';

interface MinifiedHintProps {
  readonly service: string;
  readonly minified: readonly MinifiedFileAnswer[];
}

/** Says which shown files are minified code without a source map, and what to do about it. */
export function MinifiedHint({ service, minified }: MinifiedHintProps) {
  const open = minified.filter(({ hasMap }) => !hasMap);
  if (minified.length === 0) return null;
  const files = [...new Set((open.length > 0 ? open : minified).map(({ file }) => file))];
  const named =
    files.slice(0, 2).map(visibleText).join(' and ') + (files.length > 2 ? ` and ${files.length - 2} more files` : '');
  if (open.length === 0) {
    return (
      <Caveat>
        Functions of {named} came minified before their source map was uploaded, and stay so. What has come since is shown by its
        sources.
      </Caveat>
    );
  }
  return (
    <Caveat>
      <details className={styles['hint']}>
        <summary>
          Functions of {named} are minified: they have other names in each build. With the source map of a release they are shown
          by their sources.
        </summary>
        <p>Run this where the release is built, before it starts. What has arrived without its map stays as it is.</p>
        <Snippet label="Command that uploads source maps" text={uploadCommand(service, open[0]!)} />
      </details>
    </Caveat>
  );
}

/** @param location - Of the server; default: where this page comes from. */
export function uploadCommand(
  service: string,
  { file, revision }: MinifiedFileAnswer,
  { origin }: Pick<Location, 'origin'> = window.location,
): string {
  const folder = file.replace(/^\.\.\.\//, '').replace(/\/?[^/]*$/, '') || '.';
  return [
    `HEARTH_URL=${origin} HEARTH_KEY=<ingest key> npx ${origin}/install/cli.tgz source-maps upload ${quoted(folder)}`,
    `--service ${quoted(service)} --revision ${quoted(revision)}`,
  ].join(' \\\n  ');
}

/** For a shell: nothing in it is looked at. */
function quoted(text: string): string {
  return /^[\w./@:-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
