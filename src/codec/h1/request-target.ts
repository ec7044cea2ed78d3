import { targetByte } from './characters.ts';

/** Bytes of an authority as Envoy accepts them (nghttp2_check_authority, plus what its URL parser lets through). */
const hostByte = new Uint8Array(256);
for (const c of "!$%&'()*+,-.:;=@[]_~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
  hostByte[c.charCodeAt(0)] = 1;

export { hostByte };

/** The parts of an absolute-form target (RFC 9112 section 3.2.2). */
export interface AbsoluteTarget {
  /** Lower case. */
  readonly scheme: string;
  readonly authority: string;
  /** With query; `/` where the URL ends after its authority. */
  readonly path: string;
}

const absoluteForm = /^([A-Za-z][A-Za-z0-9+.-]*):\/\/([^/?]*)(.*)$/s;

/**
 * Whether Envoy's parser takes the target at all (`isUrlValid`): something that begins with `/` or `*`, an absolute
 * URL, or for CONNECT an authority. Its bytes have been looked at; more is asked of it later.
 */
export function isTargetValid(target: string, isConnect: boolean): boolean {
  if (target === '') return false;
  const c = target.charCodeAt(0);
  if (c === 47 /* / */ || c === 42 /* * */) return true;
  let host = target;
  if (isConnect) {
    const end = target.search(/[/?]/);
    if (end >= 0) host = target.slice(0, end);
  } else {
    const match = absoluteForm.exec(target);
    if (match === null) return false;
    host = match[2]!;
  }
  return hasHostBytes(host) && !host.includes('@@');
}

/** Whether all of it may stand in a target. */
export function hasTargetBytes(target: string): boolean {
  for (let i = 0; i < target.length; i++) if (targetByte[target.charCodeAt(i)] !== 1) return false;
  return true;
}

/** Null: not `scheme://host[:port][path]`. User information is dropped, as Envoy does. */
export function parseAbsolute(target: string): AbsoluteTarget | null {
  const match = absoluteForm.exec(target);
  if (match === null) return null;
  const userEnd = match[2].indexOf('@');
  const authority = match[2].slice(userEnd + 1);
  if (!isHostAndPort(authority, false)) return null;
  const rest = match[3];
  return { scheme: match[1].toLowerCase(), authority, path: rest === '' ? '/' : rest };
}

/** `host[:port]` with a port up to 65535, which CONNECT needs (RFC 9112 section 3.2.3). */
export function isHostAndPort(authority: string, needsPort: boolean): boolean {
  const match = /^(?:\[[0-9A-Fa-f:.]+\]|[0-9A-Za-z.-]+)(:[0-9]{1,5})?$/.exec(authority);
  if (match === null) return false;
  const port = match[1];
  return port === undefined ? !needsPort : Number(port.slice(1)) <= 65535;
}

function hasHostBytes(host: string): boolean {
  for (let i = 0; i < host.length; i++) if (hostByte[host.charCodeAt(i) & 0xff] === 0) return false;
  return true;
}
