import { CelScalar, celFunc, objectType, type CelFunc } from '@bufbuild/cel';
import { create } from '@bufbuild/protobuf';
import { reflect } from '@bufbuild/protobuf/reflect';
import { DurationSchema, TimestampSchema } from '@bufbuild/protobuf/wkt';

/** A number is of seconds in cel-cpp, of milliseconds in the library; which has two more conversions, too. */
export function timeFunctions(): CelFunc[] {
  const timestamp = objectType(TimestampSchema);
  const duration = objectType(DurationSchema);
  return [
    celFunc('timestamp', [CelScalar.INT], timestamp, (seconds) =>
      reflect(TimestampSchema, create(TimestampSchema, { seconds })),
    ),
    celFunc('duration', [CelScalar.INT], duration, refuse),
    celFunc('int', [duration], CelScalar.INT, refuse),
  ];
}

function refuse(): never {
  throw new Error('no matching overload');
}
