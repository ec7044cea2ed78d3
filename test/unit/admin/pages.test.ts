import { describe, expect, test } from 'vitest';
import { ask, askJson, cluster, host, ReportedProcess } from './process.ts';

const plain = 'text/plain; charset=UTF-8';

// Status, type and body are those of Envoy 1.39.3.
describe('the state of the process', () => {
  test('/ready', async () => {
    const source = new ReportedProcess();
    expect(await ask(source, '/ready')).toEqual({ status: 200, contentType: plain, body: 'LIVE\n' });
    expect(await ask(source, '//ready?x')).toMatchObject({ status: 200 });
    source.state = 'DRAINING';
    expect(await ask(source, '/ready')).toEqual({ status: 503, contentType: plain, body: 'DRAINING\n' });
  });

  test('/server_info', async () => {
    const info = await askJson(new ReportedProcess(), '/server_info');
    expect(info).toMatchObject({
      version: 'sekisho/0.1.0/Clean/RELEASE/OpenSSL-3',
      state: 'LIVE',
      uptime_current_epoch: '2s',
      uptime_all_epochs: '2s',
      hot_restart_version: 'disabled',
      node: { id: 'n1', cluster: 'c1' },
    });
    expect(info.command_line_options).toMatchObject({
      base_id: '0',
      concurrency: 1,
      config_path: 'small.yaml',
      log_level: 'info',
      log_format: '[%Y-%m-%d %T.%e][%t][%l][%n] [%g:%#] %v',
      service_zone: 'zz',
      file_flush_interval: '10s',
      drain_time: '600s',
      parent_shutdown_time: '900s',
      mode: 'Serve',
      drain_strategy: 'Gradual',
      socket_path: '@envoy_domain_socket',
      socket_mode: 0,
      disabled_extensions: [],
      stats_tag: [],
    });
    // Every field that Envoy prints, and no other.
    expect(Object.keys(info.command_line_options)).toHaveLength(39);
  });

  test('/memory', async () => {
    expect(await askJson(new ReportedProcess(), '/memory')).toEqual({
      allocated: '6062392',
      heap_size: '10485760',
      pageheap_unmapped: '0',
      pageheap_free: '4423368',
      total_thread_cache: '0',
      total_physical_bytes: '13560638',
    });
  });

  test('/certs, /init_dump, /hot_restart_version, /contention', async () => {
    const source = new ReportedProcess();
    const { body, contentType } = await ask(source, '/certs');
    expect([body, contentType]).toEqual(['{\n "certificates": []\n}\n', 'application/json']);
    expect((await ask(source, '/init_dump')).body).toBe('{}\n');
    source.unready = [{ name: 'listener', targetNames: ['a'] }];
    expect(await askJson(source, '/init_dump')).toEqual({
      unready_targets_dumps: [{ name: 'listener', target_names: ['a'] }],
    });
    expect((await ask(source, '/hot_restart_version')).body).toBe('disabled');
    expect((await ask(source, '/contention')).body).toBe(
      'Mutex contention tracing is not enabled. To enable, run Envoy with flag --enable-mutex-tracing.',
    );
  });
});

describe('/listeners', () => {
  const source = new ReportedProcess();
  source.listenerReports = [
    { name: 'http', addresses: [{ kind: 'ip', host: '127.0.0.1', port: 40201 }] },
    {
      name: 'two',
      addresses: [
        { kind: 'ip', host: '::', port: 1 },
        { kind: 'pipe', host: '/tmp/s', port: 0 },
      ],
    },
  ];

  test('text', async () => {
    expect((await ask(source, '/listeners')).body).toBe('http::127.0.0.1:40201\ntwo::[::]:1\ntwo::/tmp/s\n');
  });

  test('json', async () => {
    expect(await askJson(source, '/listeners?format=json')).toEqual({
      listener_statuses: [
        { name: 'http', local_address: { socket_address: { address: '127.0.0.1', port_value: 40201 } } },
        {
          name: 'two',
          local_address: { socket_address: { address: '::', port_value: 1 } },
          additional_local_addresses: [{ pipe: { path: '/tmp/s' } }],
        },
      ],
    });
    expect((await ask(new ReportedProcess(), '/listeners?format=json')).body).toBe('{}\n');
  });
});

describe('/clusters', () => {
  const source = new ReportedProcess();
  const stats = { ...host(0).stats, rq_total: 5, cx_active: 2 };
  source.clusterReports = [
    cluster('one', {
      highPriority: { maxConnections: 10, maxPendingRequests: 1024, maxRequests: 1024, maxRetries: 3 },
      hosts: [host(19999, { hostname: 'hh', weight: 3, region: 'r', zone: 'z', subZone: 's', stats })],
    }),
    cluster('two', {
      observabilityName: 'twoalt',
      hosts: [host(19998, { healthFlags: ['failed_active_hc', 'failed_eds_health'], priority: 1 })],
    }),
  ];

  test('text', async () => {
    const { body } = await ask(source, '/clusters?filter=on');
    expect(body).toBe(`one::observability_name::one
one::default_priority::max_connections::1024
one::default_priority::max_pending_requests::1024
one::default_priority::max_requests::1024
one::default_priority::max_retries::3
one::high_priority::max_connections::10
one::high_priority::max_pending_requests::1024
one::high_priority::max_requests::1024
one::high_priority::max_retries::3
one::added_via_api::false
one::127.0.0.1:19999::cx_active::2
one::127.0.0.1:19999::cx_connect_fail::0
one::127.0.0.1:19999::cx_total::0
one::127.0.0.1:19999::rq_active::0
one::127.0.0.1:19999::rq_error::0
one::127.0.0.1:19999::rq_pending_active::0
one::127.0.0.1:19999::rq_success::0
one::127.0.0.1:19999::rq_timeout::0
one::127.0.0.1:19999::rq_total::5
one::127.0.0.1:19999::hostname::hh
one::127.0.0.1:19999::health_flags::healthy
one::127.0.0.1:19999::weight::3
one::127.0.0.1:19999::region::r
one::127.0.0.1:19999::zone::z
one::127.0.0.1:19999::sub_zone::s
one::127.0.0.1:19999::canary::false
one::127.0.0.1:19999::priority::0
one::127.0.0.1:19999::success_rate::-1
one::127.0.0.1:19999::local_origin_success_rate::-1
`);
    const all = (await ask(source, '/clusters')).body;
    expect(all).toContain('two::observability_name::twoalt\n');
    expect(all).toContain('two::127.0.0.1:19998::health_flags::/failed_active_hc/failed_eds_health\n');
  });

  test('json', async () => {
    const { cluster_statuses: clusters } = await askJson(source, '/clusters?format=json');
    expect(clusters[0].host_statuses[0]).toEqual({
      address: { socket_address: { address: '127.0.0.1', port_value: 19999 } },
      stats: [
        { name: 'cx_connect_fail' },
        { name: 'cx_total' },
        { name: 'rq_error' },
        { name: 'rq_success' },
        { name: 'rq_timeout' },
        { name: 'rq_total', value: '5' },
        { type: 'GAUGE', name: 'cx_active', value: '2' },
        { type: 'GAUGE', name: 'rq_active' },
        { type: 'GAUGE', name: 'rq_pending_active' },
      ],
      health_status: { eds_health_status: 'HEALTHY' },
      weight: 3,
      hostname: 'hh',
      locality: { region: 'r', zone: 'z', sub_zone: 's' },
    });
    expect(clusters[0].circuit_breakers.thresholds[1]).toEqual({
      priority: 'HIGH',
      max_connections: 10,
      max_pending_requests: 1024,
      max_requests: 1024,
      max_retries: 3,
    });
    expect(clusters[1].host_statuses[0]).toMatchObject({
      priority: 1,
      locality: {},
      health_status: { eds_health_status: 'UNHEALTHY', failed_active_health_check: true },
    });
  });

  test('a bad filter, no clusters', async () => {
    expect(await ask(source, '/clusters?filter=%5B')).toMatchObject({ status: 400, body: 'Invalid re2 regex' });
    expect((await ask(new ReportedProcess(), '/clusters')).body).toBe('');
    expect((await ask(new ReportedProcess(), '/clusters?format=json')).body).toBe('{}\n');
  });
});

describe('/stats', () => {
  const source = new ReportedProcess();
  source.snapshot = {
    texts: [],
    counters: [
      { name: 'a.b', value: 0, isUsed: false },
      { name: 'cluster.one.upstream_cx_total', value: 7, isUsed: true },
    ],
    gauges: [{ name: 'a.c', value: 1, isUsed: true }],
    histograms: [],
  };

  test('text', async () => {
    expect(await ask(source, '/stats')).toEqual({
      status: 200,
      contentType: plain,
      body: 'a.b: 0\na.c: 1\ncluster.one.upstream_cx_total: 7\n',
    });
    expect((await ask(source, '/stats?usedonly&filter=^a')).body).toBe('a.c: 1\n');
  });

  test('a plus in a filter stays a plus', async () => {
    expect((await ask(source, '/stats?filter=a.b+')).body).toBe('a.b: 0\n');
  });

  test('json', async () => {
    const { contentType, body } = await ask(source, '/stats?format=json&filter=total');
    expect(contentType).toBe('application/json');
    expect(JSON.parse(body)).toEqual({ stats: [{ name: 'cluster.one.upstream_cx_total', value: 7 }] });
  });

  test.each(['/stats/prometheus', '/stats?format=prometheus'])('%s', async (target) => {
    const { contentType, body } = await ask(source, target);
    expect(contentType).toBe(plain);
    expect(body).toContain('# TYPE envoy_cluster_upstream_cx_total counter\n');
    expect(body).toContain('envoy_cluster_upstream_cx_total{envoy_cluster_name="one"} 7\n');
  });

  test('html, still and active', async () => {
    const still = await ask(source, '/stats?format=html&filter=a.c');
    expect(still.contentType).toBe('text/html; charset=UTF-8');
    expect(still.body).toContain('<pre>\na.c: 1\n</pre>');
    expect(still.body).not.toContain('refresh');
    expect((await ask(source, '/stats?format=active-html')).body).toContain('http-equiv="refresh"');
  });

  test.each([
    ['/stats?filter=%5B', 'Invalid re2 regex'],
    ['/stats?format=bogus', 'usage: /stats?format=(html|active-html|json|prometheus|text)\n\n'],
    ['/stats?type=bogus', 'invalid &type= param'],
    ['/stats?histogram_buckets=bogus', 'usage: /stats?histogram_buckets='],
  ])('%s', async (target, words) => {
    const { status, body } = await ask(source, target);
    expect(status).toBe(400);
    expect(body).toContain(words);
  });
});

describe('/runtime', () => {
  test('entries and layers', async () => {
    const source = new ReportedProcess();
    source.runtimeReport = {
      layers: ['static', 'admin'],
      entries: new Map([['a.b', { layerValues: ['5', ''], finalValue: '5' }]]),
    };
    expect(await askJson(source, '/runtime')).toEqual({
      entries: { 'a.b': { layer_values: ['5', ''], final_value: '5' } },
      layers: ['static', 'admin'],
    });
    expect((await ask(new ReportedProcess(), '/runtime')).body).toBe('{\n "entries": {},\n "layers": []\n}\n');
  });

  test('/runtime_modify takes the query and forms', async () => {
    const source = new ReportedProcess();
    expect(await ask(source, '/runtime_modify?k=v&n=5', 'POST')).toMatchObject({ status: 200, body: 'OK\n' });
    expect(await ask(source, '/runtime_modify', 'POST', 'foo=a%20b&x=')).toMatchObject({ body: 'OK\n' });
    expect(source.done).toEqual([
      { k: 'v', n: '5' },
      { foo: 'a b', x: '' },
    ]);
  });

  test('/runtime_modify refuses', async () => {
    const source = new ReportedProcess();
    expect(await ask(source, '/runtime_modify', 'POST')).toEqual({
      status: 400,
      contentType: plain,
      body:
        'usage: /runtime_modify?key1=value1&key2=value2&keyN=valueN\n' +
        '       or send the parameters as form values\n' +
        'use an empty value to remove a previously added override',
    });
    source.modification = 'no-admin-layer';
    expect(await ask(source, '/runtime_modify?k=v', 'POST')).toMatchObject({
      status: 503,
      body: 'No admin layer specified',
    });
  });
});
