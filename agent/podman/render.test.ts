import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hostileText } from '../../test/hostile/names.ts';
import { expectedContainer } from '../testing/control-plane.ts';
import { containerCreate, containerName, hardwareAddress } from './container-create.ts';
import { cgroupManagerFor, renderContainersConf, runtimeFor, ulimitsFrom, type EngineHost } from './containers-conf.ts';
import { containerCgroup, engineArgv, engineHostFor } from './service.ts';

const debian12: EngineHost = { cgroupVersion: 1, systemd: true, runtimes: ['crun', 'runc'] };
const modern: EngineHost = { cgroupVersion: 2, systemd: true, runtimes: ['crun', 'runc'] };
const ulimits = [{ type: 'nofile', soft: 1_024, hard: 4_096 } as const];
const context = {
  ...{ network: 'landfall', dnsServer: '10.200.1.1', secrets: { API_KEY: 's' }, ulimits, cgroupParent: '/landfall-1' },
};
const web = expectedContainer({ image: 'r:5000/web@sha256:1', ip: '10.200.1.2', env: { PORT: '8080' }, command: null });

describe('the body that creates a container', () => {
  it('P66: carries any argument and value as it is, and nothing more than for harmless ones', () => {
    const values = fc.dictionary(fc.stringMatching(/^[A-Za-z_]\w{0,20}$/), hostileText, { maxKeys: 4 });
    const command = fc.array(hostileText, { minLength: 1, maxLength: 4 });
    const tried = fc.property(values, command, (env, argv) => {
      const body = containerCreate({ ...web, env, command: argv }, { ...context, secrets: {} });
      expect(JSON.parse(JSON.stringify(body))).toEqual({
        ...containerCreate(web, { ...context, secrets: {} }),
        ...{ env, entrypoint: argv, command: [] },
      });
    });
    fc.assert(tried);
  });

  it('is this', () => {
    expect(containerCreate(web, context)).toMatchInlineSnapshot(`
      {
        "cap_add": [
          "CHOWN",
          "DAC_OVERRIDE",
          "FOWNER",
          "KILL",
          "NET_BIND_SERVICE",
          "SETGID",
          "SETUID",
        ],
        "cap_drop": [
          "ALL",
        ],
        "cgroup_parent": "/landfall-1",
        "dns_server": [
          "10.200.1.1",
        ],
        "env": {
          "API_KEY": "s",
          "PORT": "8080",
        },
        "hostname": "web",
        "image": "r:5000/web@sha256:1",
        "labels": {
          "landfall.allocation.id": "01900000-0000-7000-8000-00000000a001",
          "landfall.service.id": "01900000-0000-7000-8000-00000000b001",
          "landfall.service.name": "web",
          "landfall.spec": "sha256:0000000000000000000000000000000000000000000000000000000000000000",
        },
        "log_configuration": {
          "driver": "k8s-file",
          "size": 10485760,
        },
        "name": "landfall-web-00000000a001",
        "netns": {
          "nsmode": "bridge",
        },
        "networks": {
          "landfall": {
            "static_ips": [
              "10.200.1.2",
            ],
            "static_mac": "02:00:0a:c8:01:02",
          },
        },
        "no_new_privileges": true,
        "r_limits": [
          {
            "hard": 4096,
            "soft": 1024,
            "type": "nofile",
          },
        ],
        "resource_limits": {
          "cpu": {
            "period": 100000,
            "quota": 50000,
          },
          "memory": {
            "limit": 67108864,
          },
          "pids": {
            "limit": 64,
          },
        },
        "restart_policy": "no",
        "stop_timeout": 1,
        "sysctl": {
          "net.ipv4.ip_unprivileged_port_start": "0",
        },
      }
    `);
  });

  it('replaces entrypoint and arguments of the image by a command', () => {
    expect(containerCreate({ ...web, command: ['/bin/app', '-v'] }, context)).toMatchObject({
      entrypoint: ['/bin/app', '-v'],
      command: [],
    });
  });

  it('leaves the cgroup to the engine where systemd arranges them', () => {
    expect(containerCreate(web, { ...context, cgroupParent: null })).not.toHaveProperty('cgroup_parent');
  });

  it('never asks for less processor than the kernel takes', () => {
    const resources = { ...web.resources, cpuMillis: 1 };
    expect(containerCreate({ ...web, resources }, context).resource_limits.cpu.quota).toBe(1_000);
  });

  it('gives the successor at an address the same hardware address, and no other the same', () => {
    expect(hardwareAddress('10.200.1.2')).toBe('02:00:0a:c8:01:02');
    expect(hardwareAddress('10.200.1.20')).not.toBe(hardwareAddress('10.200.1.2'));
  });

  it('names containers of one moment apart', () => {
    const id = '01900000-0000-7000-8000-00000000a001';
    expect(containerName('web', id)).toBe('landfall-web-00000000a001');
    expect(containerName('web', id.replace('a001', 'a002'))).not.toBe(containerName('web', id));
  });
});

describe('the configuration of the engine', () => {
  it('is this', () => {
    expect(renderContainersConf(debian12, ulimits)).toMatchInlineSnapshot(`
      "# Written by the Landfall agent at every start.
      [engine]
      runtime = "runc"
      cgroup_manager = "cgroupfs"
      events_logger = "file"
      [containers]
      default_ulimits = ["nofile=1024:4096"]
      [network]
      network_backend = "netavark"
      "
    `);
  });

  it.each([
    [debian12, 'runc', 'cgroupfs'],
    [modern, 'crun', 'systemd'],
    [{ ...modern, runtimes: ['runc'] } satisfies EngineHost, 'runc', 'systemd'],
    [{ ...modern, systemd: false }, 'crun', 'cgroupfs'],
  ])('of %o has the runtime %s and the cgroup manager %s', (host, runtime, manager) => {
    expect([runtimeFor(host), cgroupManagerFor(host)]).toEqual([runtime, manager]);
  });

  it('leaves systemd out where the engine has a pid namespace of its own', () => {
    expect(cgroupManagerFor(engineHostFor(modern, 'ends_with_agent'))).toBe('cgroupfs');
    const name = { dataDir: '/var/lib/landfall', host: modern };
    expect(containerCgroup({ ...name, lifetime: 'outlives_agent' })).toBeNull();
    expect(containerCgroup({ ...name, lifetime: 'ends_with_agent' })).toMatch(/^\/landfall-[0-9a-f]{8}$/);
  });

  it('stays below the limits of this machine', () => {
    const limits =
      'Limit                     Soft Limit           Hard Limit           Units     \nMax processes             95000                unlimited            processes \nMax open files            1024                 20000                files     \n';
    expect(ulimitsFrom(limits, 32_768)).toEqual([
      { type: 'nofile', soft: 1_024, hard: 20_000 },
      { type: 'nproc', soft: 4_096, hard: 32_768 },
    ]);
    expect(ulimitsFrom('Max open files            256   512   files\n', 4_194_304)[0]).toEqual({
      type: 'nofile',
      soft: 512,
      hard: 512,
    });
  });

  it('keeps everything of two agents apart', () => {
    const argv = (dataDir: string) => engineArgv({ dataDir, lifetime: 'outlives_agent', socketPath: '/s' });
    const [one, two] = [argv('/a'), argv('/b')];
    for (const flag of ['--root', '--runroot', '--tmpdir', '--network-config-dir']) {
      expect(one[one.indexOf(flag) + 1]).not.toBe(two[two.indexOf(flag) + 1]);
    }
  });
});
