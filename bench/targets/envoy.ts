import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { dump } from 'js-yaml';
import { findProgram, missing } from '../../test/peers/binaries.ts';
import type { Place, Shape, Target } from '../target.ts';
import { envoyConfiguration, tunedEnvoyConfiguration } from './envoy-config.ts';

class Envoy implements Target {
  readonly name: string;
  private readonly configuration: (shape: Shape, place: Place) => object;

  constructor(name: string, configuration: (shape: Shape, place: Place) => object) {
    this.name = name;
    this.configuration = configuration;
  }

  unavailable(): string | null {
    return findProgram('envoy') === null ? missing('envoy') : null;
  }

  supports(): boolean {
    return true;
  }

  prepare(shape: Shape, place: Place, workers: number): readonly string[] {
    const file = join(place.directory, 'envoy.yaml');
    writeFileSync(file, dump(this.configuration(shape, place)));
    const flags = ['--use-dynamic-base-id', '--concurrency', String(workers), '-l', 'error'];
    return [findProgram('envoy') ?? 'envoy', '-c', file, ...flags];
  }
}

export const envoy: Target = new Envoy('envoy', envoyConfiguration);
export const tunedEnvoy: Target = new Envoy('envoy-tuned', tunedEnvoyConfiguration);
