import { fieldNames } from '../../h1/field-names.ts';

/** RFC 7541 appendix A: `name` or `name=value`, from index 1 on. */
const list = `:authority|:method=GET|:method=POST|:path=/|:path=/index.html|:scheme=http|:scheme=https|:status=200
  |:status=204|:status=206|:status=304|:status=400|:status=404|:status=500|accept-charset
  |accept-encoding=gzip, deflate|accept-language|accept-ranges|accept|access-control-allow-origin|age|allow
  |authorization|cache-control|content-disposition|content-encoding|content-language|content-length
  |content-location|content-range|content-type|cookie|date|etag|expect|expires|from|host|if-match
  |if-modified-since|if-none-match|if-range|if-unmodified-since|last-modified|link|location|max-forwards
  |proxy-authenticate|proxy-authorization|range|referer|refresh|retry-after|server|set-cookie
  |strict-transport-security|transfer-encoding|user-agent|vary|via|www-authenticate`
  .replace(/\s*\n\s*/g, '')
  .split('|')
  .map((entry) => entry.split('='));

/** Names as an object's keys, because V8 internalises those; `:protocol` is known but in no table (RFC 8441). */
const internalised = Object.keys(
  Object.fromEntries([...fieldNames, ...list.map(([name]) => name), ':protocol'].map((name) => [name, true])),
);

/** Every name that this codec knows, to its one string: those of `fieldNames` are the same here. */
export const knownNames: ReadonlyMap<string, string> = new Map(internalised.map((name) => [name, name]));

/** By index; position 0 is no entry. */
export const staticNames: readonly string[] = ['', ...list.map(([name]) => knownNames.get(name)!)];
export const staticValues: readonly string[] = ['', ...list.map(([, value]) => value ?? '')];

/** Index of the first dynamic entry. */
export const firstDynamic = staticNames.length;
