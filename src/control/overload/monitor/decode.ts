import type { ExtensionDecoder } from '../../../core/extension.ts';
import type { Reasons } from '../../../core/rejection.ts';
import { SupportedFields } from '../../../core/supported-fields.ts';
import { RuntimeUInt64Schema } from '../../../proto/envoy/config/core/v3/base_pb.js';
import { CgroupMemoryConfigSchema } from '../../../proto/envoy/extensions/resource_monitors/cgroup_memory/v3/cgroup_memory_pb.js';
import {
  CpuUtilizationConfig_UtilizationComputeStrategy,
  CpuUtilizationConfigSchema,
} from '../../../proto/envoy/extensions/resource_monitors/cpu_utilization/v3/cpu_utilization_pb.js';
import { DownstreamConnectionsConfigSchema } from '../../../proto/envoy/extensions/resource_monitors/downstream_connections/v3/downstream_connections_pb.js';
import {
  FixedHeapConfigSchema,
  type FixedHeapConfig,
} from '../../../proto/envoy/extensions/resource_monitors/fixed_heap/v3/fixed_heap_pb.js';
import { InjectedResourceConfigSchema } from '../../../proto/envoy/extensions/resource_monitors/injected_resource/v3/injected_resource_pb.js';
import { fromBinary } from '../../../proto/protobuf.js';
import type { ResourceData } from '../overload-data.ts';

const heap = new SupportedFields(FixedHeapConfigSchema, ['max_heap_size_bytes', 'max_heap_size_bytes_runtime']);
const heapRuntime = new SupportedFields(RuntimeUInt64Schema, ['default_value', 'runtime_key']);
const cgroup = new SupportedFields(CgroupMemoryConfigSchema, ['max_memory_bytes']);
const cpu = new SupportedFields(CpuUtilizationConfigSchema, ['mode']);
const injected = new SupportedFields(InjectedResourceConfigSchema, ['filename']);
const connections = new SupportedFields(DownstreamConnectionsConfigSchema, ['max_active_downstream_connections']);

/** What a monitor's configuration says; the proactive one has a limit in place of a resource to ask. */
export type DecodedMonitor = ResourceData | { readonly kind: 'connections'; readonly max: number };

export const fixedHeapDecoder: ExtensionDecoder = {
  kind: FixedHeapConfigSchema.typeName,
  decode: (bytes, reasons): DecodedMonitor => decodeHeap(fromBinary(FixedHeapConfigSchema, bytes), reasons),
};

export const cgroupMemoryDecoder: ExtensionDecoder = {
  kind: CgroupMemoryConfigSchema.typeName,
  decode(bytes, reasons): DecodedMonitor {
    const message = fromBinary(CgroupMemoryConfigSchema, bytes);
    cgroup.check(message, reasons);
    return { kind: 'cgroup_memory', bytesMax: Number(message.maxMemoryBytes) };
  },
};

export const cpuUtilizationDecoder: ExtensionDecoder = {
  kind: CpuUtilizationConfigSchema.typeName,
  decode(bytes, reasons): DecodedMonitor {
    const message = fromBinary(CpuUtilizationConfigSchema, bytes);
    cpu.check(message, reasons);
    const ofContainer = message.mode === CpuUtilizationConfig_UtilizationComputeStrategy.CONTAINER;
    return { kind: 'cpu_utilization', ofContainer };
  },
};

export const injectedResourceDecoder: ExtensionDecoder = {
  kind: InjectedResourceConfigSchema.typeName,
  decode(bytes, reasons): DecodedMonitor {
    const message = fromBinary(InjectedResourceConfigSchema, bytes);
    injected.check(message, reasons);
    return { kind: 'injected_resource', file: message.filename };
  },
};

export const downstreamConnectionsDecoder: ExtensionDecoder = {
  kind: DownstreamConnectionsConfigSchema.typeName,
  decode(bytes, reasons): DecodedMonitor {
    const message = fromBinary(DownstreamConnectionsConfigSchema, bytes);
    connections.check(message, reasons);
    return { kind: 'connections', max: Number(message.maxActiveDownstreamConnections) };
  },
};

function decodeHeap(message: FixedHeapConfig, reasons: Reasons): DecodedMonitor {
  heap.check(message, reasons);
  const runtime = message.maxHeapSizeBytesRuntime;
  if (runtime !== undefined) heapRuntime.check(runtime, reasons.at('max_heap_size_bytes_runtime'));
  const bytesMax = Number(runtime?.defaultValue ?? message.maxHeapSizeBytes);
  if (bytesMax === 0) reasons.add('fixed_heap: max heap size must be greater than 0');
  return { kind: 'fixed_heap', bytesMax, runtimeKey: runtime?.runtimeKey ?? '' };
}
