/** What a worker asks for because a request has no route for want of it. */
export type RouteQuestion =
  /** The virtual host of `host`, lower-case, in the route configuration that comes by RDS under `key`. */
  | { readonly kind: 'host'; readonly key: string; readonly host: string }
  /** The route configuration of the scope whose key is `host`, among those that come by SRDS under `key`. */
  | { readonly kind: 'scope'; readonly key: string; readonly host: string };

/** The same for the same question. */
export function questionKey({ kind, key, host }: RouteQuestion): string {
  return `${kind} ${key} ${host}`;
}
