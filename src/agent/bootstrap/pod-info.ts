import { AgentError } from '../agent-error.ts';

/** Files of the downward API, relative to the working folder as Istio's agent has them. */
export const podLabelsPath = './etc/istio/pod/labels';
export const podAnnotationsPath = './etc/istio/pod/annotations';

/**
 * Lines `key="value"`, the value quoted as Go's `%q`.
 * @throws AgentError where a value is not quoted so
 */
export function parsePodInfo(text: string, path: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const line of text.split('\n')) {
    const equals = line.indexOf('=');
    if (equals === -1) continue;
    const value = unquoted(line.slice(equals + 1));
    if (value === null) throw new AgentError(`${path}: the value of '${line.slice(0, equals)}' is not quoted`);
    found.set(line.slice(0, equals), value);
  }
  return found;
}

const escapes: Readonly<Record<string, string>> = {
  a: '\u0007',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  '"': '"',
};

function unquoted(text: string): string | null {
  const quoted = text.trimEnd();
  if (!/^"(?:[^"\\]|\\(?:[abfnrtv\\"]|x[0-9a-f]{2}|u[0-9a-f]{4}|U[0-9a-f]{8}))*"$/i.test(quoted)) return null;
  return quoted
    .slice(1, -1)
    .replaceAll(
      /\\(?:x([0-9a-f]{2})|u([0-9a-f]{4})|U([0-9a-f]{8})|(.))/gi,
      (_, byte?: string, short?: string, long?: string, letter?: string) =>
        letter === undefined
          ? String.fromCodePoint(Number.parseInt(byte ?? short ?? long ?? '', 16))
          : (escapes[letter] ?? letter),
    );
}
