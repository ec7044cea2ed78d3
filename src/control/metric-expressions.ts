const typeUrl = Buffer.from('type.googleapis.com/stats.PluginConfig', 'latin1');

/** Tags of protobuf: `value` of an Any and of a TypedStruct, and of the struct's fields; of `stats.PluginConfig`, and of a metric. */
const valueTag = 0x12;
const structTag = 0x0a;
const metricsTag = 0x42;
const definitionsTag = 0x4a;
const dimensionsTag = 0x0a;

/**
 * Istio's metrics have expressions among these packed messages. Nearly every listener of a mesh has metrics, and hardly
 * any has expressions, whose library is large.
 */
export function hasMetricExpressions(whole: Buffer): boolean {
  for (let at = whole.indexOf(typeUrl); at >= 0; at = whole.indexOf(typeUrl, at)) {
    at += typeUrl.length;
    // Without a value it is empty.
    if (whole[at] !== valueTag) continue;
    const cursor = { at: at + 1 };
    const length = varint(whole, cursor);
    if (hasExpressions(whole.subarray(cursor.at, cursor.at + length))) return true;
  }
  return false;
}

/** In the bytes of a `stats.PluginConfig`, or of a struct that is one; those that are neither have some. */
function hasExpressions(config: Buffer): boolean {
  const cursor = { at: 0 };
  while (cursor.at < config.length) {
    const tag = varint(config, cursor);
    if (tag === structTag) return config.includes('dimensions') || config.includes('definitions');
    if (tag === definitionsTag) return true;
    if ((tag & 7) !== 2) {
      if ((tag & 7) !== 0) return true;
      varint(config, cursor);
      continue;
    }
    const length = varint(config, cursor);
    // Fields are written in the order of their numbers, and dimensions are the first.
    if (tag === metricsTag && config[cursor.at] === dimensionsTag) return true;
    cursor.at += length;
  }
  return false;
}

function varint(bytes: Buffer, cursor: { at: number }): number {
  let value = 0;
  for (let shift = 0; shift < 35 && cursor.at < bytes.length; shift += 7) {
    const byte = bytes[cursor.at++];
    value += (byte & 127) * 2 ** shift;
    if (byte < 128) break;
  }
  return value;
}
