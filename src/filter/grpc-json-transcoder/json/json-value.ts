/** An object as it was written: order and repeated names survive, for both mean something to protobuf. */
export class JsonObject {
  readonly names: string[];
  readonly values: JsonValue[];

  constructor() {
    this.names = [];
    this.values = [];
  }

  static of(name: string, value: JsonValue): JsonObject {
    const object = new JsonObject();
    object.names.push(name);
    object.values.push(value);
    return object;
  }
}

/** A JSON value. Whole numbers that a double cannot hold, up to 64 bits, are bigints. */
export type JsonValue = null | boolean | number | bigint | string | JsonValue[] | JsonObject;
