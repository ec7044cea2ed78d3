import { describe, expect, test } from 'vitest';
import { RuntimeValues } from '../../../../../src/control/runtime-view.ts';
import type { PathOptionsData } from '../../../../../src/proxy/http/hcm-data.ts';
import { runtimePath } from '../../../../../src/proxy/http/request/runtime-path.ts';
import { runtimeOf } from '../../../cluster/cluster-fixture.ts';

const open: PathOptionsData = {
  normalize: null,
  mergeSlashes: true,
  escapedSlashes: 'IMPLEMENTATION_SPECIFIC_DEFAULT',
};

function resolved(data: PathOptionsData, keys: Record<string, string> = {}): PathOptionsData {
  return runtimePath(data, new RuntimeValues(runtimeOf(keys)), () => 0.5);
}

describe('what is not configured', () => {
  test('is Envoy’s default without runtime keys', () => {
    expect(resolved(open)).toEqual({ normalize: false, mergeSlashes: true, escapedSlashes: 'KEEP_UNCHANGED' });
  });

  test.each([
    ['0', 'KEEP_UNCHANGED'],
    ['1', 'KEEP_UNCHANGED'],
    ['2', 'REJECT_REQUEST'],
    ['3', 'UNESCAPE_AND_REDIRECT'],
    ['4', 'UNESCAPE_AND_FORWARD'],
    ['5', 'KEEP_UNCHANGED'],
    ['REJECT_REQUEST', 'KEEP_UNCHANGED'],
  ])('is the runtime’s: %s', (number, action) => {
    const keys = {
      'http_connection_manager.normalize_path': '100',
      'http_connection_manager.path_with_escaped_slashes_action': number,
    };
    expect(resolved(open, keys)).toMatchObject({ normalize: true, escapedSlashes: action });
  });

  test('is a share of the configurations', () => {
    expect(resolved(open, { 'http_connection_manager.normalize_path': '51' }).normalize).toBe(true);
    expect(resolved(open, { 'http_connection_manager.normalize_path': '50' }).normalize).toBe(false);
  });
});

describe('what is configured', () => {
  const firm: PathOptionsData = { ...open, normalize: false, escapedSlashes: 'REJECT_REQUEST' };

  test('counts', () => {
    const keys = {
      'http_connection_manager.normalize_path': '100',
      'http_connection_manager.path_with_escaped_slashes_action': '4',
    };
    expect(resolved(firm, keys)).toEqual(firm);
  });

  test('can be switched off for escaped slashes', () => {
    const keys = { 'http_connection_manager.path_with_escaped_slashes_action_enabled': '0' };
    expect(resolved(firm, keys).escapedSlashes).toBe('KEEP_UNCHANGED');
  });
});
