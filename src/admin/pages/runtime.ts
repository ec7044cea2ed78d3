import type { JsonObject } from '@bufbuild/protobuf';
import { done, json, text, type Page } from '../page.ts';

/** `/runtime`: every key with its value in each layer. */
export const runtimePage: Page = (_request, source) => {
  const { layers, entries } = source.runtime();
  const shown: [string, JsonObject][] = [...entries].map(([key, { layerValues, finalValue }]) => [
    key,
    { layer_values: [...layerValues], final_value: finalValue },
  ]);
  return json({ entries: Object.fromEntries(shown), layers: [...layers] });
};

const usage =
  'usage: /runtime_modify?key1=value1&key2=value2&keyN=valueN\n' +
  '       or send the parameters as form values\n' +
  'use an empty value to remove a previously added override';

/** `/runtime_modify`: sets and removes keys of the admin layer. */
export const runtimeModifyPage: Page = ({ query }, source) => {
  const changes = new Map(query);
  if (changes.size === 0) return text(usage, 400);
  const result = source.modifyRuntime(changes);
  if (result === 'no-admin-layer') return text('No admin layer specified', 503);
  if (result === 'too-many-keys') return text('Too many keys in the admin layer: remove some with an empty value', 400);
  return done;
};
