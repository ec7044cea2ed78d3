import type { RequestHead } from '../core/head.ts';
import type { RouteEntry } from './route-entry.ts';
import type { MatchContext } from './route.ts';

/** A node of the radix tree over the routes' literals. */
class LiteralNode {
  /** What leads here from the parent. */
  text: string;
  /** Length of the whole literal from the root. */
  end: number;
  readonly children: Map<number, LiteralNode>;
  /** Routes whose literal ends here, in their order. */
  readonly routes: RouteEntry[];
  /** The nearest node above that has routes. */
  above: LiteralNode | null;

  constructor(text: string, end: number) {
    this.text = text;
    this.end = end;
    this.children = new Map();
    this.routes = [];
    this.above = null;
  }
}

/**
 * Finds the first matching route of a long list without trying each: a radix tree over the literal beginnings gives the
 * few routes whose literal the path begins with; those and the routes without a literal (templates, other case)
 * are then tried in configured order. The answer is that of a scan in order.
 */
export class RouteIndex {
  private readonly root: LiteralNode;
  /** Routes that any path may match, in order. */
  private readonly others: RouteEntry[];

  /** `routes` in ascending order. */
  constructor(routes: readonly RouteEntry[]) {
    this.root = new LiteralNode('', 0);
    this.others = [];
    for (const route of routes) {
      const { literal } = route;
      if (literal === null) this.others.push(route);
      else this.nodeFor(literal).routes.push(route);
    }
    this.linkAbove();
  }

  find(path: string, ownPath: string, head: RequestHead, context: MatchContext): RouteEntry | null {
    const deepest = this.deepest(path);
    const { others } = this;
    let other = 0;
    let after = -1;
    for (;;) {
      let best: RouteEntry | null = null;
      for (let node = deepest; node !== null; node = node.above) {
        const route = firstAfter(node.routes, after);
        if (route !== null && (best === null || route.order < best.order)) best = route;
      }
      if (other < others.length && (best === null || others[other].order < best.order)) best = others[other++]!;
      if (best === null) return null;
      if (best.matches(path, ownPath, head, context)) return best;
      after = best.order;
    }
  }

  /** The lowest node with routes whose literal `path` begins with. */
  private deepest(path: string): LiteralNode | null {
    let node = this.root;
    let found = node.routes.length > 0 ? node : null;
    while (node.end < path.length) {
      const child = node.children.get(path.charCodeAt(node.end));
      if (child === undefined || !path.startsWith(child.text, node.end)) break;
      if (child.routes.length > 0) found = child;
      node = child;
    }
    return found;
  }

  private nodeFor(literal: string): LiteralNode {
    let node = this.root;
    while (node.end < literal.length) {
      const child = node.children.get(literal.charCodeAt(node.end));
      if (child === undefined) {
        const leaf = new LiteralNode(literal.slice(node.end), literal.length);
        node.children.set(literal.charCodeAt(node.end), leaf);
        return leaf;
      }
      const shared = sharedLength(child.text, literal, node.end);
      node = shared === child.text.length ? child : split(node, child, shared);
    }
    return node;
  }

  private linkAbove(): void {
    const pending = [this.root];
    for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
      const above = node.routes.length > 0 ? node : node.above;
      for (const child of node.children.values()) {
        child.above = above;
        pending.push(child);
      }
    }
  }
}

/** Puts a node into the edge from `parent` to `child`, behind its first `length` characters. */
function split(parent: LiteralNode, child: LiteralNode, length: number): LiteralNode {
  const middle = new LiteralNode(child.text.slice(0, length), parent.end + length);
  parent.children.set(middle.text.charCodeAt(0), middle);
  child.text = child.text.slice(length);
  middle.children.set(child.text.charCodeAt(0), child);
  return middle;
}

function sharedLength(text: string, literal: string, from: number): number {
  let length = 0;
  while (length < text.length && text.charCodeAt(length) === literal.charCodeAt(from + length)) length++;
  return length;
}

function firstAfter(routes: readonly RouteEntry[], after: number): RouteEntry | null {
  let low = 0;
  let high = routes.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (routes[middle].order > after) high = middle;
    else low = middle + 1;
  }
  return low < routes.length ? routes[low] : null;
}
