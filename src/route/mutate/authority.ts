import type { RequestHead } from '../../core/head.ts';

/**
 * Gives a request another authority. `appendXForwardedHost`: the old one joins `x-forwarded-host`, unless it stands last
 * there already. `keepOriginal`: it is told in `x-envoy-original-host`. Also for `auto_host_rewrite`, once the host is
 * chosen. Source: Envoy `Http::Utility::updateAuthority`.
 */
export function rewriteAuthority(
  head: RequestHead,
  authority: string,
  appendXForwardedHost: boolean,
  keepOriginal: boolean,
): void {
  const original = head.authority;
  if (keepOriginal) head.headers.set('x-envoy-original-host', original);
  if (appendXForwardedHost && original !== '') {
    const forwarded = head.headers.get('x-forwarded-host') ?? '';
    if (forwarded === '') head.headers.set('x-forwarded-host', original);
    else if (lastToken(forwarded) !== original) head.headers.set('x-forwarded-host', `${forwarded},${original}`);
  }
  head.authority = authority;
}

function lastToken(list: string): string {
  let end = list.length;
  while (end > 0 && list[end - 1] === ',') end--;
  return list.slice(list.lastIndexOf(',', end - 1) + 1, end);
}
