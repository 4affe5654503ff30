import { NO_PARENT, type StackIndex } from '@hearth/profile-model';
import type { StackTables } from './stack-tables.js';

/** What the trees of V8's profilers have in common. */
interface TreeNode<Node> {
  readonly name: string;
  readonly scriptName: string;
  readonly lineNumber: number;
  readonly columnNumber: number;
  readonly children: readonly Node[];
}

/** Adds the stack of every node below `root` to `tables`, a parent before its children, and hands each to `visit`. The root itself is no frame. */
export function walkTree<Node extends TreeNode<Node>>(
  root: Node,
  tables: StackTables,
  visit: (node: Node, stackRow: StackIndex, parentRow: StackIndex) => void,
): void {
  const open: Node[] = [...root.children].reverse();
  const parentOfOpen: StackIndex[] = open.map(() => NO_PARENT); // a stack of our own: recursion would overflow on deep trees
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    const parentRow = parentOfOpen.pop()!;
    const stackRow = tables.stackRow(parentRow, node.name, node.scriptName, node.lineNumber, node.columnNumber);
    visit(node, stackRow, parentRow);
    for (const child of node.children) {
      open.push(child);
      parentOfOpen.push(stackRow);
    }
  }
}
