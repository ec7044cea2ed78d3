import { hexDigit } from './ip-address.ts';

// How normalize_path treats a character, below 0x80; above and controls never pass the codec.
const plain = 0;
/** Written as %XX. */
const escaped = 1;
/** Must be looked at: `%`, `.`, `\`, `/`. */
const special = 2;
const charKinds = new Uint8Array(256).fill(plain);
for (const char of ' "<>^`{|}\x7f') charKinds[char.charCodeAt(0)] = escaped;
for (let code = 0; code < 32; code++) charKinds[code] = escaped;
for (let code = 128; code < 256; code++) charKinds[code] = escaped;
for (const char of '%.\\') charKinds[char.charCodeAt(0)] = special;

const slash = 47;
const backslash = 92;
const percent = 37;
const dot = 46;
const semicolon = 59;

/** Where the path ends and the query begins. */
function pathEnd(path: string): number {
  const query = path.indexOf('?');
  return query < 0 ? path.length : query;
}

/**
 * `normalize_path`: RFC 3986 dot segments, unreserved characters decoded, backslashes turned, as Chromium's URL
 * canonicaliser does it, which Envoy uses. A dot segment may carry parameters (`/..;x/`),
 * which go with it. The query stays as it is.
 * Null: `%00`.
 */
export function normalizePath(path: string): string | null {
  const end = pathEnd(path);
  for (let i = 0; i < end; i++) {
    const code = path.charCodeAt(i);
    if (charKinds[code] === plain) continue;
    if (code === dot && path.charCodeAt(i - 1) !== slash) continue;
    return new PathNormalizer(path, end).run();
  }
  return path;
}

const upperHex = '0123456789ABCDEF';

class PathNormalizer {
  private readonly path: string;
  private readonly end: number;
  private out: string;
  /** Index in `out` of the last `%` that begins no escape; -1: none. */
  private invalidPercent: number;

  constructor(path: string, end: number) {
    this.path = path;
    this.end = end;
    this.out = '';
    this.invalidPercent = -1;
  }

  run(): string | null {
    const { path, end } = this;
    let i = 0;
    while (i < end) {
      const code = path.charCodeAt(i);
      const kind = charKinds[code];
      if (kind === plain) {
        const start = i;
        while (++i < end && charKinds[path.charCodeAt(i)] === plain);
        this.out += path.slice(start, i);
        continue;
      }
      if (kind === escaped) {
        this.out += `%${upperHex[code >> 4]}${upperHex[code & 15]}`;
        i++;
        continue;
      }
      const dotLength = this.dotAt(i);
      if (dotLength > 0) i = this.takeDot(i, dotLength);
      else if (code === backslash) {
        this.out += '/';
        i++;
      } else {
        i = this.takePercent(i);
        if (i < 0) return null;
      }
    }
    return end === path.length ? this.out : this.out + path.slice(end);
  }

  /** Length of the dot at `i`, plain or escaped; 0: there is none. */
  private dotAt(i: number): number {
    const { path, end } = this;
    if (i >= end) return 0;
    if (path.charCodeAt(i) === dot) return 1;
    const isEscaped =
      i + 2 < end &&
      path.charCodeAt(i) === percent &&
      path.charCodeAt(i + 1) === 50 /* 2 */ &&
      (path.charCodeAt(i + 2) | 32) === 101; /* e */
    return isEscaped ? 3 : 0;
  }

  private takeDot(i: number, length: number): number {
    if (this.out.charCodeAt(this.out.length - 1) !== slash) {
      this.out += '.';
      return i + length;
    }
    const isPlain = length === 1 && this.path.charCodeAt(i - 1) === slash;
    let after = this.segmentEndAt(i + length, isPlain);
    if (after >= 0) return after;
    const second = this.dotAt(i + length);
    if (second > 0) {
      after = this.segmentEndAt(i + length + second, isPlain && second === 1);
      if (after >= 0) {
        this.backUp();
        return after;
      }
    }
    this.out += '.';
    return i + length;
  }

  /** Where the next segment begins, if a dot segment ends at `i`; -1: it does not. Only dots as written may have parameters. */
  private segmentEndAt(i: number, isPlain: boolean): number {
    const { path, end } = this;
    if (i >= end) return end;
    const code = path.charCodeAt(i);
    if (code === slash || code === backslash) return i + 1;
    if (code !== semicolon || !isPlain) return -1;
    while (i < end && path.charCodeAt(i) !== slash) i++;
    return i < end ? i + 1 : end;
  }

  /** Takes the last segment off `out`, which ends with a slash. */
  private backUp(): void {
    const previous = this.out.lastIndexOf('/', this.out.length - 2);
    this.out = this.out.slice(0, previous < 0 ? 1 : previous + 1);
    if (this.invalidPercent >= this.out.length) this.invalidPercent = -1;
  }

  /** Returns the index after the escape; -1: %00. */
  private takePercent(i: number): number {
    const value = decodeEscape(this.path, i, this.end);
    if (value < 0) {
      this.invalidPercent = this.out.length;
      this.out += '%';
      return i + 1;
    }
    if (value === 0) return -1;
    if (isUnreserved(value)) {
      this.out += String.fromCharCode(value);
      if (this.invalidPercent >= 0 && this.invalidPercent >= this.out.length - 3) this.guardNestedEscape(i + 3);
    } else this.out += this.path.slice(i, i + 3);
    return i + 3;
  }

  /** What was just decoded must not complete an escape that the client did not write: its `%` becomes `%25`. */
  private guardNestedEscape(next: number): void {
    const { out, path, end, invalidPercent } = this;
    const looksAhead = invalidPercent === out.length - 2;
    if (looksAhead && next >= end) return;
    const tail = looksAhead ? out + path[next] : out;
    if (decodeEscape(tail, invalidPercent, tail.length) < 0) return;
    this.out = `${out.slice(0, invalidPercent)}%25${out.slice(invalidPercent + 1)}`;
  }
}

/** Value of the escape at `i`; -1: it is none. */
function decodeEscape(text: string, i: number, end: number): number {
  if (i + 2 >= end) return -1;
  const high = hexDigit(text.charCodeAt(i + 1));
  const low = hexDigit(text.charCodeAt(i + 2));
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

function isUnreserved(code: number): boolean {
  const letter = code | 32;
  return (
    (letter >= 97 && letter <= 122) ||
    (code >= 48 && code <= 57) ||
    code === 45 /* - */ ||
    code === dot ||
    code === 95 /* _ */ ||
    code === 126 /* ~ */
  );
}

/** `merge_slashes`: runs of slashes before the query become one; a path of slashes alone keeps two, as in Envoy. */
export function mergeSlashes(path: string): string {
  const first = path.indexOf('//');
  if (first < 0) return path;
  const end = pathEnd(path);
  if (first >= end) return path;
  const parts: string[] = [];
  for (const part of path.slice(0, end).split('/')) if (part !== '') parts.push(part);
  const prefix = path.charCodeAt(0) === slash ? '/' : '';
  const suffix = path.charCodeAt(end - 1) === slash ? '/' : '';
  return prefix + parts.join('/') + suffix + path.slice(end);
}

/** %2F and %5C before the query become `/` and `\`; the same string where there are none. */
export function unescapeSlashes(path: string): string {
  let i = path.indexOf('%');
  if (i < 0) return path;
  const end = pathEnd(path);
  let out = '';
  let copied = 0;
  for (; i >= 0 && i + 2 < end; i = path.indexOf('%', i + 1)) {
    const high = path.charCodeAt(i + 1);
    const low = path.charCodeAt(i + 2) | 32;
    const isSlash = high === 50 /* 2 */ && low === 102; /* f */
    const isBackslash = high === 53 /* 5 */ && low === 99; /* c */
    if (!isSlash && !isBackslash) continue;
    out += path.slice(copied, i) + (isSlash ? '/' : '\\');
    copied = i + 3;
    i += 2;
  }
  return copied === 0 ? path : out + path.slice(copied);
}
