/** Steps through the records of a protobuf message without knowing its type. */
export class Records {
  constructor(bytes, start, end) {
    this.bytes = bytes;
    this.at = start;
    this.end = end;
    /** Field number of the record at hand. */
    this.number = 0;
    this.wireType = 0;
    /** Of a varint. Descriptors have none above 2^53 that is read. */
    this.value = 0;
    /** Of bytes, texts and messages: where they lie. */
    this.from = 0;
    this.to = 0;
  }

  /** Steps to the next record; false: there is none. */
  next() {
    if (this.at >= this.end) return false;
    const tag = this.varint();
    this.number = tag >>> 3;
    this.wireType = tag & 7;
    switch (this.wireType) {
      case 0:
        this.value = this.varint();
        return true;
      case 1:
        this.at += 8;
        return true;
      case 2: {
        const length = this.varint();
        this.from = this.at;
        this.to = this.at += length;
        return true;
      }
      case 5:
        this.at += 4;
        return true;
      default:
        throw new Error(`a descriptor has a record of wire type ${this.wireType}`);
    }
  }

  /** The record at hand as a text; those of descriptors are ASCII, but for default values. */
  text() {
    return this.bytes.utf8Slice(this.from, this.to);
  }

  varint() {
    const { bytes } = this;
    let byte = bytes[this.at++];
    if (byte < 128) return byte;
    let value = byte & 127;
    let factor = 128;
    do {
      byte = bytes[this.at++];
      value += (byte & 127) * factor;
      factor *= 128;
    } while (byte >= 128);
    // An int32 below zero is written as 64 bits.
    return value >= 2 ** 63 ? value - 2 ** 64 : value;
  }
}
