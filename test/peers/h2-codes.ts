import { constants } from 'node:http2';

const names = new Map(
  Object.entries(constants)
    .filter(([name]) =>
      /^NGHTTP2_(NO_ERROR|[A-Z_]+_ERROR|REFUSED_STREAM|CANCEL|ENHANCE_YOUR_CALM|STREAM_CLOSED|\w+_1_1_REQUIRED|INADEQUATE_SECURITY|SETTINGS_TIMEOUT)$/.test(
        name,
      ),
    )
    .filter(([name]) => !/NGHTTP2_ERR_/.test(name))
    .map(([name, code]) => [code as number, name.slice('NGHTTP2_'.length)]),
);

/** Code of a RST_STREAM or GOAWAY, as the RFC calls it. */
export function codeName(code: number): string {
  return names.get(code) ?? String(code);
}
