import { fieldByte, tokenLower } from '../../h1/characters.ts';

/** Fields that the codec itself must look at. */
export const FieldRole = {
  Plain: 0,
  /** Of one HTTP/1 connection: malformed in HTTP/2, and never sent. */
  Connection: 1,
  Te: 2,
  Host: 3,
  Cookie: 4,
  ContentLength: 5,
} as const;
export type FieldRole = (typeof FieldRole)[keyof typeof FieldRole];

/** By the name's length first: most names are done with then. */
export function roleOf(name: string): FieldRole {
  switch (name.length) {
    case 2:
      return name === 'te' ? FieldRole.Te : FieldRole.Plain;
    case 4:
      return name === 'host' ? FieldRole.Host : FieldRole.Plain;
    case 6:
      return name === 'cookie' ? FieldRole.Cookie : FieldRole.Plain;
    case 7:
      return name === 'upgrade' ? FieldRole.Connection : FieldRole.Plain;
    case 10:
      return name === 'connection' || name === 'keep-alive' ? FieldRole.Connection : FieldRole.Plain;
    case 14:
      return name === 'content-length' ? FieldRole.ContentLength : FieldRole.Plain;
    case 16:
      return name === 'proxy-connection' ? FieldRole.Connection : FieldRole.Plain;
    case 17:
      return name === 'transfer-encoding' ? FieldRole.Connection : FieldRole.Plain;
    default:
      return FieldRole.Plain;
  }
}

/** 1: may stand in a field name. Upper case may not (RFC 9113 section 8.2.1). */
const nameByte = new Uint8Array(256);
for (let c = 0; c < 256; c++) nameByte[c] = tokenLower[c] === c && c !== 0 ? 1 : 0;

export function isFieldName(name: string): boolean {
  const { length } = name;
  for (let i = 0; i < length; i++) if (nameByte[name.charCodeAt(i)] !== 1) return false;
  return length > 0;
}

/** As over HTTP/1: anything but control characters. White space around the value is left alone, as Envoy does. */
export function isFieldValue(value: string): boolean {
  const { length } = value;
  for (let i = 0; i < length; i++) if (fieldByte[value.charCodeAt(i)] !== 1) return false;
  return true;
}

/** 1*tchar, in either case. */
export function isMethod(method: string): boolean {
  for (let i = 0; i < method.length; i++) if (tokenLower[method.charCodeAt(i)] === 0) return false;
  return method !== '';
}

/** RFC 3986 section 3.1. */
export function isScheme(scheme: string): boolean {
  return scheme === 'http' || scheme === 'https' || /^[A-Za-z][A-Za-z0-9+.-]*$/.test(scheme);
}
