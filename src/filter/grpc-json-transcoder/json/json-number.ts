const uint64Max = 0xffff_ffff_ffff_ffffn;
const int64Min = -0x8000_0000_0000_0000n;
/** A number literal that is surely whole and safe. */
const safeDigits = 15;

const smallestNormalFloat = 2 ** -126;

/** The literal is no number at all. */
const notANumber = 'Unable to parse number.';

/** @returns the number, or what is wrong with the literal, in Envoy's words */
export function parseJsonNumber(literal: string): number | bigint | string {
  if (/[.eE]/.test(literal)) return parseDouble(literal);
  const digits = literal.charCodeAt(0) === 45 /* - */ ? 1 : 0;
  if (literal.length >= digits + 2 && literal.charCodeAt(digits) === 48 /* 0 */)
    return 'Octal/hex numbers are not valid JSON values.';
  if (!/^-?\d+$/.test(literal)) return notANumber;
  if (literal.length <= safeDigits) return Number(literal) + 0;
  const whole = BigInt(literal);
  if (whole > uint64Max || whole < int64Min) return parseDouble(literal);
  return Number.isSafeInteger(Number(whole)) ? Number(whole) : whole;
}

function parseDouble(literal: string): number | string {
  const value = Number(literal);
  if (Number.isNaN(value)) return notANumber;
  return Number.isFinite(value) ? value : 'Number exceeds the range of double.';
}

/** As C's `%.15g`, or `%.17g` where that would lose something: protobuf's `SimpleDtoa`. */
export function doubleText(value: number): string {
  if (value === 0) return Object.is(value, -0) ? '-0' : '0';
  const short = value.toPrecision(15);
  return Number(short) === value ? general(short, 15) : general(value.toPrecision(17), 17);
}

/** As C's `%.6g`, or `%.9g` where that would lose something: protobuf's `SimpleFtoa`. */
export function floatText(value: number): string {
  if (value === 0) return Object.is(value, -0) ? '-0' : '0';
  const short = value.toPrecision(6);
  // C calls what is below the smallest normal float out of range, and protobuf then prints all digits.
  if (Math.abs(value) < smallestNormalFloat) return general(value.toPrecision(9), 9);
  return Math.fround(Number(short)) === value ? general(short, 6) : general(value.toPrecision(9), 9);
}

/** JavaScript's `toPrecision` in the clothes of C's `%g`. */
function general(text: string, precision: number): string {
  const negative = text.charCodeAt(0) === 45;
  const [mantissa, exponentText] = (negative ? text.slice(1) : text).split('e');
  const point = mantissa.indexOf('.');
  const whole = point < 0 ? mantissa : mantissa.slice(0, point);
  const digits = point < 0 ? mantissa : whole + mantissa.slice(point + 1);
  const first = digits.search(/[1-9]/);
  const exponent = exponentText === undefined ? whole.length - 1 - first : Number(exponentText);
  const significant = digits.slice(first).replace(/0+$/, '');
  const sign = negative ? '-' : '';
  if (exponent < -4 || exponent >= precision) return sign + scientific(significant, exponent);
  if (exponent < 0) return `${sign}0.${'0'.repeat(-exponent - 1)}${significant}`;
  if (significant.length <= exponent + 1) return sign + significant.padEnd(exponent + 1, '0');
  return `${sign}${significant.slice(0, exponent + 1)}.${significant.slice(exponent + 1)}`;
}

function scientific(digits: string, exponent: number): string {
  const mantissa = digits.length === 1 ? digits : `${digits[0]}.${digits.slice(1)}`;
  const size = String(Math.abs(exponent)).padStart(2, '0');
  return `${mantissa}e${exponent < 0 ? '-' : '+'}${size}`;
}
