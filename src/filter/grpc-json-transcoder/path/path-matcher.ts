import type { PathTemplate, TemplateVariable } from './path-template.ts';

const anySegment = '*';
const anyRest = '**';
const anyMethod = '*';

/** What is registered for a path and a method. */
export interface PathTarget<T> {
  readonly value: T;
  readonly variables: readonly TemplateVariable[];
  /** Registered twice: Envoy then answers with neither. */
  isAmbiguous: boolean;
}

export interface PathMatch<T> {
  readonly target: PathTarget<T>;
  /** The path's segments as they came, without a verb. */
  readonly segments: readonly string[];
}

class PathNode<T> {
  readonly children: Map<string, PathNode<T>>;
  /** By method and verb. */
  readonly targets: Map<string, PathTarget<T>>;
  /** It stands for `**`. */
  readonly isRest: boolean;

  constructor(isRest: boolean) {
    this.children = new Map();
    this.targets = new Map();
    this.isRest = isRest;
  }
}

/** Finds the method of a path among path templates: literals first, then `*`, then `**`. */
export class PathMatcher<T> {
  private readonly root: PathNode<T>;
  private readonly verbs: Set<string>;
  private readonly matchesAnyVerb: boolean;

  /** `matchesAnyVerb`: what follows the last colon is a verb even where no template has it. */
  constructor(matchesAnyVerb: boolean) {
    this.root = new PathNode(false);
    this.verbs = new Set();
    this.matchesAnyVerb = matchesAnyVerb;
  }

  /** `method`: `*` is every method. */
  register(method: string, template: PathTemplate, value: T): void {
    let node = this.root;
    for (const segment of template.segments) {
      let child = node.children.get(segment);
      if (child === undefined) node.children.set(segment, (child = new PathNode(segment === anyRest)));
      node = child;
    }
    const key = method + template.verb;
    const target = { value, variables: template.variables, isAmbiguous: node.targets.has(key) };
    node.targets.set(key, target);
    if (template.verb !== '') this.verbs.add(template.verb);
  }

  /** `path` without its query. */
  match(method: string, path: string): PathMatch<T> | null {
    const colon = path.lastIndexOf(':');
    let verb = '';
    let end = path.length;
    if (colon > path.lastIndexOf('/')) {
      const after = path.slice(colon + 1);
      if (this.matchesAnyVerb || this.verbs.has(after)) {
        verb = after;
        end = colon;
      }
    }
    const segments = end <= 1 ? [] : path.slice(1, end).split('/');
    while (segments.length > 0 && segments[segments.length - 1] === '') segments.pop();
    const target = find(this.root, segments, 0, method + verb);
    return target === null || target.isAmbiguous ? null : { target, segments };
  }
}

function find<T>(node: PathNode<T>, segments: readonly string[], from: number, key: string): PathTarget<T> | null {
  const { children } = node;
  let at = from;
  for (; at < segments.length; at++) {
    const literal = children.get(segments[at]);
    const found = literal === undefined ? null : find(literal, segments, at + 1, key);
    if (found !== null) return found;
    if (!node.isRest) break;
  }
  if (at === segments.length) return targetOf(node, key) ?? targetOf(children.get(anyRest), key);
  const one = children.get(anySegment);
  const found = one === undefined ? null : find(one, segments, at + 1, key);
  if (found !== null) return found;
  const rest = children.get(anyRest);
  return rest === undefined ? null : find(rest, segments, at + 1, key);
}

function targetOf<T>(node: PathNode<T> | undefined, key: string): PathTarget<T> | null {
  return node?.targets.get(key) ?? node?.targets.get(anyMethod) ?? null;
}
