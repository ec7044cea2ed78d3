import { writeStruct } from '../../../filter/wire/struct-wire.ts';
import { WireType } from '../../../filter/wire/wire-type.ts';
import type { WireWriter } from '../../../filter/wire/wire-writer.ts';
import { jsonOf } from '../../../observe/format/byte-string.ts';
import { FilterStateObject } from '../../../observe/filter-state.ts';
import type { Outcome } from '../../../observe/outcome.ts';
import { writeText } from '../wire-text.ts';

const stringType = 'type.googleapis.com/google.protobuf.StringValue';
const structType = 'type.googleapis.com/google.protobuf.Struct';

/** What an object of filter state is as a message; undefined: there is none, or it has none. */
export function stateOf(outcome: Outcome, key: string): unknown {
  const state = outcome.filterState?.get(key);
  return state instanceof FilterStateObject ? state.toJson() : state;
}

/** Its JSON; null: there is none. */
export function stateJson(outcome: Outcome, key: string): string | null {
  const state = stateOf(outcome, key);
  return state === undefined || state === null ? null : jsonOf(state);
}

/** A map from keys to `google.protobuf.Any`: texts are StringValues, everything else is a Struct. */
export function writeFilterState(writer: WireWriter, number: number, outcome: Outcome, keys: readonly string[]): void {
  for (const key of keys) {
    const state = stateOf(outcome, key);
    if (state === undefined || state === null) continue;
    writer.tag(number, WireType.LengthDelimited).begin();
    writer.tag(1, WireType.LengthDelimited).string(key);
    writer.tag(2, WireType.LengthDelimited).begin();
    const isText = typeof state !== 'object';
    writeText(writer, 1, isText ? stringType : structType);
    writer.tag(2, WireType.LengthDelimited).begin();
    if (isText) writer.tag(1, WireType.LengthDelimited).string(textOf(state));
    else writeStruct(writer, state);
    writer.end().end().end();
  }
}

function textOf(state: unknown): string {
  return typeof state === 'string' ? state : JSON.stringify(state);
}
