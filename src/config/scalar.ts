import { base64Decode, ScalarType } from '../proto/protobuf.js';
import type { ConfigValue } from './config-value.ts';

/** What a scalar could not be read as: what could stand there, and a hint. */
export class Refusal {
  readonly allowed: string;
  readonly suggestion: string | undefined;

  constructor(allowed: string, suggestion?: string) {
    this.allowed = allowed;
    this.suggestion = suggestion;
  }
}

export type Scalar = string | number | bigint | boolean | Uint8Array;
export type ScalarReader = (value: ConfigValue) => Scalar | Refusal;

const notText = new Refusal('must be a string');
/** Plain y, n, yes, no, on and off are booleans in YAML, as yaml-cpp reads it. */
const unquoted = new Refusal('must be a string (put it in quotes)');
const notBoolean = new Refusal('must be true or false');
const notNumber = new Refusal('must be a number');
const notBase64 = new Refusal('must be base64');

/** How a value becomes a scalar, as protobuf's JSON reader does it for Envoy: numbers as strings, booleans as words. */
export function scalarReader(type: ScalarType): ScalarReader {
  switch (type) {
    case ScalarType.STRING:
      return readString;
    case ScalarType.BOOL:
      return readBoolean;
    case ScalarType.BYTES:
      return readBytes;
    case ScalarType.DOUBLE:
      return readDouble;
    case ScalarType.FLOAT:
      return readFloat;
    case ScalarType.INT32:
    case ScalarType.SINT32:
    case ScalarType.SFIXED32:
      return wholeReader('from -2147483648 to 2147483647', -2147483648, 2147483647);
    case ScalarType.UINT32:
    case ScalarType.FIXED32:
      return wholeReader('from 0 to 4294967295', 0, 4294967295);
    case ScalarType.INT64:
    case ScalarType.SINT64:
    case ScalarType.SFIXED64:
      return bigReader('of 64 bits', -(2n ** 63n), 2n ** 63n - 1n);
    // UINT64 and FIXED64
    default:
      return bigReader('from 0 to 18446744073709551615', 0n, 2n ** 64n - 1n);
  }
}

function readString(value: ConfigValue): string | Refusal {
  if (typeof value === 'string') return value;
  if (typeof value === 'boolean' || typeof value === 'number') return unquoted;
  return notText;
}

/** Abseil's SimpleAtob. */
const words: ReadonlyMap<string, boolean> = new Map([
  ['true', true],
  ['t', true],
  ['yes', true],
  ['y', true],
  ['1', true],
  ['false', false],
  ['f', false],
  ['no', false],
  ['n', false],
  ['0', false],
]);

function readBoolean(value: ConfigValue): boolean | Refusal {
  if (typeof value === 'boolean') return value;
  if (typeof value !== 'string') return notBoolean;
  return words.get(value.toLowerCase()) ?? notBoolean;
}

const number = /^[-+]?(?:0[xX][0-9a-fA-F]+|(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)$/;

function readDouble(value: ConfigValue): number | Refusal {
  if (typeof value === 'number') return Number.isFinite(value) ? value : notNumber;
  if (typeof value !== 'string') return notNumber;
  if (value === 'NaN') return NaN;
  if (value === 'Infinity') return Infinity;
  if (value === '-Infinity') return -Infinity;
  return number.test(value) ? Number(value) : notNumber;
}

function readFloat(value: ConfigValue): number | Refusal {
  const read = readDouble(value);
  return typeof read === 'number' ? Math.fround(read) : read;
}

function wholeReader(range: string, min: number, max: number): ScalarReader {
  const refusal = new Refusal(`must be a whole number ${range}`);
  return (value) => {
    const read = readDouble(value);
    if (typeof read !== 'number' || !Number.isInteger(read) || read < min || read > max) return refusal;
    return read;
  };
}

function bigReader(range: string, min: bigint, max: bigint): ScalarReader {
  const refusal = new Refusal(`must be a whole number ${range}`);
  return (value) => {
    if (typeof value === 'string' && /^-?\d{1,20}$/.test(value)) {
      const exact = BigInt(value);
      return exact < min || exact > max ? refusal : exact;
    }
    const read = readDouble(value);
    if (typeof read !== 'number' || !Number.isInteger(read)) return refusal;
    const whole = BigInt(read);
    return whole < min || whole > max ? refusal : whole;
  };
}

/** Standard or URL-safe, with or without padding. */
function readBytes(value: ConfigValue): Uint8Array | Refusal {
  if (typeof value !== 'string') return notBase64;
  const text = value.replaceAll('-', '+').replaceAll('_', '/').replace(/=+$/, '');
  if (text.length % 4 === 1 || !/^[A-Za-z0-9+/]*$/.test(text)) return notBase64;
  return base64Decode(text);
}
