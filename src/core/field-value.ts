// oxlint-disable no-control-regex
const breaking = /[\0\r\n]/;
const breakingAll = /[\0\r\n]/g;
const invalid = /[\0-\x08\n-\x1f\x7f]/;
const invalidInTarget = /[\0- \x7f]/;

/**
 * A value that was not read from a head, safe to be part of one: what would end the line is a space instead (RFC 9110
 * section 5.5). Values that decoders of messages have let through need not come here.
 */
export function fieldValue(text: string): string {
  return breaking.test(text) ? text.replace(breakingAll, ' ') : text;
}

/** Visible characters, spaces, tabs and bytes above ASCII: what Envoy lets a request's field hold. */
export function isFieldValue(text: string): boolean {
  return !invalid.test(text);
}

/** As `isFieldValue` for a request's target, which a space would end. */
export function isTarget(text: string): boolean {
  return !invalidInTarget.test(text);
}
