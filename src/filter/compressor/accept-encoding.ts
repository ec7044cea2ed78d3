/** One encoding that a client takes. */
export interface AcceptedEncoding {
  readonly name: string;
  /** 0 to 1; 0: it does not take it. */
  readonly quality: number;
}

/** What Envoy's own parser takes for a number. */
const number = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;

/** The elements of `accept-encoding` in order; one whose quality is no number is left out. */
export function parseAcceptEncoding(value: string): AcceptedEncoding[] {
  const encodings: AcceptedEncoding[] = [];
  for (const element of value.split(',')) {
    if (element === '') continue;
    const semicolon = element.indexOf(';');
    if (semicolon < 0) {
      encodings.push({ name: element.trim(), quality: 1 });
      continue;
    }
    const quality = qualityOf(element.slice(semicolon + 1));
    if (quality !== null) encodings.push({ name: element.slice(0, semicolon).trim(), quality });
  }
  return encodings;
}

/** 1 where the parameters do not begin with one; null: it is no number. */
function qualityOf(parameters: string): number | null {
  const equals = parameters.indexOf('=');
  if (equals < 0 || parameters.slice(0, equals).trim().toLowerCase() !== 'q') return 1;
  const text = parameters.slice(equals + 1).trim();
  return number.test(text) ? Number(text) : null;
}
