import { expressionKind } from '../observe/expression/expressions.ts';
import { expressions } from './extension-kinds.ts';
import { hasMetricExpressions } from './metric-expressions.ts';

const prefix = Buffer.from('type.googleapis.com/', 'latin1');
const commands = ['%CEL(', '%TYPED_CEL(', '"CEL"', '"TYPED_CEL"'];
/** Functions of CEL: the condition of a policy has no type URL, but hardly any does without one of these. */
const functions = ['_==_', '_!=_', '_&&_', '_||_', '!_', '@in', '_<_', '_<=_', '_>_', '_>=_', '_[_]'];
const methods = ['startsWith', 'endsWith', 'contains', 'matches', 'size'];

/**
 * The message types that packed messages name, however deep they lie, also in TypedStructs; and `expressionKind` where
 * there may be CEL. As `extensionKinds`, of bytes: they are read before anything that they name can be.
 */
export function packedKinds(bytes: Uint8Array, kinds = new Set<string>()): Set<string> {
  const { buffer, byteOffset, byteLength } = bytes;
  const whole = Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength);
  for (let at = whole.indexOf(prefix); at >= 0; at = whole.indexOf(prefix, at)) {
    at += prefix.length;
    let end = at;
    while (end < byteLength && isNamePart(whole[end])) end++;
    kinds.add(whole.toString('latin1', at, end));
    // What follows an empty message may look like more of its name: the length in front of it knows.
    const told = at - prefix.length + lengthBefore(whole, at - prefix.length);
    if (told > at && told < end) kinds.add(whole.toString('latin1', at, told));
    at = end;
  }
  if (hasExpressions(whole, kinds)) kinds.add(expressionKind);
  return kinds;
}

/** The varint in front of a string: of one byte or two, for no type URL is longer. */
function lengthBefore(whole: Buffer, at: number): number {
  const last = at > 0 ? whole[at - 1] : 0;
  // No type URL is so short: it is the second byte of a length from 128 on.
  if (last < prefix.length && at > 1) return (whole[at - 2] & 127) + last * 128;
  return last;
}

function hasExpressions(whole: Buffer, kinds: ReadonlySet<string>): boolean {
  const includes = (text: string): boolean => whole.includes(text, 0, 'latin1');
  const list = [...kinds];
  if (list.some((kind) => expressions.test(kind)) || commands.some(includes)) return true;
  if (kinds.has('stats.PluginConfig') && hasMetricExpressions(whole)) return true;
  return list.some((kind) => hasPolicies.test(kind)) && [...functions, ...methods].some(includes);
}

const hasPolicies = /\.rbac\.v3\.RBAC(?:PerRoute)?$/;

/** `[A-Za-z0-9_.]` */
function isNamePart(byte: number): boolean {
  if (byte >= 97) return byte <= 122;
  if (byte >= 65) return byte <= 90 || byte === 95;
  return byte === 46 || (byte >= 48 && byte <= 57);
}
