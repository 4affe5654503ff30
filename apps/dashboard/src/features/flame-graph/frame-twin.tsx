import { memo } from 'react';
import { formatDelta, formatQuantity, formatShare } from '../../format/quantity.js';
import { visibleText } from '../../format/visible-text.js';
import type { FlameTree } from './flame-tree.js';
import { childrenOf, pathTo, type FlameLayout } from './layout.js';
import styles from './flame-graph.module.css';

/** Neighbours and children that are read out; the rest is one arrow key further. */
const MOST_ITEMS = 20;

/** What the canvas shows around one frame, as a tree that a screen reader can read: its callers, its neighbours, its callees. */
export const FrameTwin = memo(function FrameTwin({
  id,
  tree,
  layout,
  row,
}: {
  id: string;
  tree: FlameTree;
  layout: FlameLayout;
  row: number;
}) {
  const path = pathTo(tree.depth, row);
  const siblings = row === 0 ? [0] : childrenOf(tree.depth, path.at(-2)!);
  const around = Math.max(0, Math.min(siblings.indexOf(row) - MOST_ITEMS / 2, siblings.length - MOST_ITEMS));
  const children = childrenOf(tree.depth, row);
  const items: { row: number; position: number; of: number }[] = [
    ...path.slice(0, -1).map((above) => ({ row: above, position: 1, of: 1 })),
    ...siblings
      .slice(around, around + MOST_ITEMS)
      .flatMap((sibling, index) => [
        { row: sibling, position: around + index + 1, of: siblings.length },
        ...(sibling === row
          ? children.slice(0, MOST_ITEMS).map((child, place) => ({ row: child, position: place + 1, of: children.length }))
          : []),
      ]),
  ];
  return (
    <div className={styles['twin']} role="presentation">
      {items.map((item) => (
        <div
          key={item.row}
          id={`${id}-${item.row}`}
          role="treeitem"
          aria-level={tree.depth[item.row]! + 1}
          aria-posinset={item.position}
          aria-setsize={item.of}
          aria-selected={item.row === row}
        >
          {spokenFrame(tree, layout, item.row)}
        </div>
      ))}
    </div>
  );
});

function spokenFrame(tree: FlameTree, layout: FlameLayout, row: number): string {
  const { name, file } = tree.functions[tree.functionRow[row]!]!;
  const place = file === '' ? '' : ` in ${visibleText(file)}`;
  if (!tree.sides) {
    const from = tree.isTimed ? `from ${formatQuantity(layout.left[row], tree.unit)}, ` : '';
    return `${visibleText(name)}${place}: ${from}total ${formatQuantity(layout.total[row], tree.unit)}, ${formatShare(layout.total[row]! / (layout.total[0]! || 1))}, self ${formatQuantity(tree.self[row], tree.unit)}`;
  }
  const baseline = tree.sides.baselineTotal[row]!;
  const candidate = tree.sides.candidateTotal[row]!;
  return `${visibleText(name)}${place}: ${formatQuantity(baseline, tree.unit)} to ${formatQuantity(candidate, tree.unit)}, change ${formatDelta(candidate - baseline, tree.unit)}`;
}
