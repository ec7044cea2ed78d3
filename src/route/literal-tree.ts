/** A node while the tree is made. */
class Growing {
  text: string;
  readonly children: Growing[];
  readonly orders: number[];

  constructor(text: string) {
    this.text = text;
    this.children = [];
    this.orders = [];
  }
}

/** Numbers kept per node: where its text begins and how long it is, its children, the nearest node above with orders, its orders. */
const stride = 7;
const Field = { Text: 0, TextLength: 1, Children: 2, ChildCount: 3, Above: 4, Orders: 5, OrderCount: 6 } as const;

const none = -1;

/**
 * A radix tree over literals: which of them a path begins with, in few comparisons. All of it is one array of numbers:
 * a table of a thousand routes does not fit into a processor's nearest memory, so what counts is how much of it a
 * lookup touches.
 */
export class LiteralTree {
  /** Nodes, then their children (first character and node by turns, in order), then orders, then texts. */
  private readonly numbers: Int32Array;

  /** The order of a literal is its position here. */
  constructor(literals: readonly string[]) {
    const root = new Growing('');
    for (let order = 0; order < literals.length; order++) nodeFor(root, literals[order]).orders.push(order);
    this.numbers = compile(root);
  }

  /** The lowest node with orders whose literal `path` begins with; -1: none. */
  deepest(path: string): number {
    const { numbers } = this;
    let node = 0;
    let at = 0;
    let found = numbers[Field.OrderCount] > 0 ? 0 : none;
    while (at < path.length) {
      node = this.child(node, path.charCodeAt(at));
      if (node < 0) return found;
      const length = numbers[node + Field.TextLength];
      const text = numbers[node + Field.Text];
      if (at + length > path.length) return found;
      for (let i = 1; i < length; i++) if (numbers[text + i] !== path.charCodeAt(at + i)) return found;
      at += length;
      if (numbers[node + Field.OrderCount] > 0) found = node;
    }
    return found;
  }

  /** The first order behind `after` of the literals that end at `node` or above; -1: none. */
  next(node: number, after: number): number {
    const { numbers } = this;
    let best = none;
    for (let at = node; at >= 0; at = numbers[at + Field.Above]) {
      const order = this.firstAfter(at, after);
      if (order >= 0 && (best < 0 || order < best)) best = order;
    }
    return best;
  }

  private child(node: number, code: number): number {
    const { numbers } = this;
    let low = 0;
    let high = numbers[node + Field.ChildCount];
    const children = numbers[node + Field.Children];
    while (low < high) {
      const middle = (low + high) >> 1;
      const found = numbers[children + 2 * middle];
      if (found === code) return numbers[children + 2 * middle + 1];
      if (found < code) low = middle + 1;
      else high = middle;
    }
    return none;
  }

  private firstAfter(node: number, after: number): number {
    const { numbers } = this;
    const orders = numbers[node + Field.Orders];
    const count = numbers[node + Field.OrderCount];
    let low = 0;
    let high = count;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (numbers[orders + middle] > after) high = middle;
      else low = middle + 1;
    }
    return low < count ? numbers[orders + low] : none;
  }
}

function nodeFor(root: Growing, literal: string): Growing {
  let node = root;
  let at = 0;
  while (at < literal.length) {
    const index = node.children.findIndex(({ text }) => text.charCodeAt(0) === literal.charCodeAt(at));
    if (index < 0) {
      const leaf = new Growing(literal.slice(at));
      node.children.push(leaf);
      return leaf;
    }
    const child = node.children[index];
    const shared = sharedLength(child.text, literal, at);
    at += shared;
    node = shared === child.text.length ? child : split(node, index, shared);
  }
  return node;
}

/** Puts a node into the edge from `parent` to its child, behind its first `length` characters. */
function split(parent: Growing, index: number, length: number): Growing {
  const child = parent.children[index];
  const middle = new Growing(child.text.slice(0, length));
  child.text = child.text.slice(length);
  middle.children.push(child);
  parent.children[index] = middle;
  return middle;
}

function sharedLength(text: string, literal: string, from: number): number {
  let length = 0;
  while (length < text.length && text.charCodeAt(length) === literal.charCodeAt(from + length)) length++;
  return length;
}

function compile(root: Growing): Int32Array {
  const nodes: Growing[] = [root];
  for (const node of nodes) {
    node.children.sort((a, b) => a.text.charCodeAt(0) - b.text.charCodeAt(0));
    nodes.push(...node.children);
  }
  const places = new Map(nodes.map((node, i) => [node, i * stride]));
  const numbers: number[] = Array.from({ length: nodes.length * stride }, () => none);
  for (const node of nodes) {
    const place = places.get(node)!;
    numbers[place + Field.Children] = numbers.length;
    numbers[place + Field.ChildCount] = node.children.length;
    const above = node.orders.length > 0 ? place : numbers[place + Field.Above];
    for (const child of node.children) {
      const childPlace = places.get(child)!;
      numbers[childPlace + Field.Above] = above;
      numbers.push(child.text.charCodeAt(0), childPlace);
    }
    numbers[place + Field.Orders] = numbers.length;
    numbers[place + Field.OrderCount] = node.orders.length;
    for (const order of node.orders) numbers.push(order);
    numbers[place + Field.Text] = numbers.length;
    numbers[place + Field.TextLength] = node.text.length;
    for (let i = 0; i < node.text.length; i++) numbers.push(node.text.charCodeAt(i));
  }
  return Int32Array.from(numbers);
}
