import { expect, test } from 'vitest';
import { namesExporters } from '../../../../src/proxy/export/export-kinds.ts';
import { extensionEntries } from '../../../../src/extensions.ts';

test('every tracer and every access log that is told to a service needs exporters, and no file does', () => {
  const of = (category: string): string[] =>
    extensionEntries.filter((entry) => entry.category === category).map(({ kind }) => kind);
  const needing = [...of('envoy.tracers'), ...of('envoy.access_loggers')].filter((kind) => namesExporters([kind]));
  expect(of('envoy.tracers').every((kind) => needing.includes(kind))).toBe(true);
  expect(of('envoy.access_loggers').filter((kind) => !needing.includes(kind))).toEqual([
    'envoy.extensions.access_loggers.file.v3.FileAccessLog',
    'envoy.extensions.access_loggers.stream.v3.StdoutAccessLog',
    'envoy.extensions.access_loggers.stream.v3.StderrAccessLog',
  ]);
});
