import type { FilterBuilder } from '../filter.ts';
import type { AdmissionControlData } from './admission-control-data.ts';
import { AdmissionControl } from './admission-control.ts';

export const admissionControlBuilder: FilterBuilder = {
  kind: 'envoy.extensions.filters.http.admission_control.v3.AdmissionControl',
  build: (data, context) => new AdmissionControl(data as AdmissionControlData, context),
};
