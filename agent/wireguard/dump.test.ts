import { expect, it } from 'vitest';
import { parseDump } from './dump.ts';

const recorded = [
  'yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=\tHIgo9xNzJMWLKASShiTqIybxZ0U3wGLiUeJ1PKf8ykw=\t51820\toff',
  'xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=\t(none)\t10.77.0.2:51820\t10.100.2.0/24,10.200.2.0/24\t1767225600\t1204\t1412\t25',
  'TrMvSoP4jYQlY6RIzBgbssQqY3vxI2Pi+y71lOWWXX0=\t(none)\t(none)\t(none)\t0\t0\t0\toff',
  '',
].join('\n');

it('reads what wg says of an interface and its peers', () => {
  expect(parseDump(recorded)).toEqual({
    publicKey: 'HIgo9xNzJMWLKASShiTqIybxZ0U3wGLiUeJ1PKf8ykw=',
    listenPort: 51_820,
    peers: [
      {
        publicKey: 'xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=',
        endpoint: '10.77.0.2:51820',
        allowedIps: ['10.100.2.0/24', '10.200.2.0/24'],
        keepaliveSeconds: 25,
        handshakeAt: new Date('2026-01-01T00:00:00Z'),
      },
      {
        publicKey: 'TrMvSoP4jYQlY6RIzBgbssQqY3vxI2Pi+y71lOWWXX0=',
        endpoint: null,
        allowedIps: [],
        keepaliveSeconds: null,
        handshakeAt: null,
      },
    ],
  });
});

it('reads an interface that has no key yet', () => {
  expect(parseDump('(none)\t(none)\t0\toff\n')).toEqual({ publicKey: '', listenPort: 0, peers: [] });
});
