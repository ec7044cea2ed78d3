/** Above this an integer cannot be told exactly; Envoy's are unsigned 64-bit. */
const UINT64_MAX = 18446744073709551615n;

/** A counter or gauge as Envoy prints it: all digits, never an exponent. */
export function formatInteger(value: number): string {
  if (value <= Number.MAX_SAFE_INTEGER) return String(Math.trunc(value));
  const exact = BigInt(Math.trunc(value));
  return String(exact > UINT64_MAX ? UINT64_MAX : exact);
}

/** C's `%.<digits>g`. */
export function formatGeneral(value: number, digits = 6): string {
  if (Number.isNaN(value)) return 'nan';
  if (value === 0) return '0';
  const exponent = Math.floor(Math.log10(Math.abs(value)));
  if (exponent >= -4 && exponent < digits) return stripZeros(value.toPrecision(digits));
  const [mantissa, power] = value.toExponential(digits - 1).split('e') as [string, string];
  const sign = power.startsWith('-') ? '-' : '+';
  return `${stripZeros(mantissa)}e${sign}${power.replace(/^[+-]/, '').padStart(2, '0')}`;
}

function stripZeros(decimal: string): string {
  return decimal.includes('.') ? decimal.replace(/\.?0+$/, '') : decimal;
}
