import { describe, expect, test } from 'vitest';
import { createAccessPolicy, type NetworkTarget } from '../../src/access/access-policy.ts';
import { kindOfAddress } from '../../src/access/address-kind.ts';

const policy = createAccessPolicy();
const isAllowed = (target: NetworkTarget, by = policy): boolean => by.refusalOfNetwork(target) === null;

/** The host as a URL of a workflow leads to it. */
const hostOf = (url: string): NetworkTarget => ({ host: new URL(url).hostname, port: 80 });

describe('closed by default', () => {
  test.each([
    ['http://127.0.0.1/', 'loopback'],
    ['http://127.9.9.9/', 'loopback'],
    ['http://2130706433/', 'loopback, as one number'],
    ['http://0x7f000001/', 'loopback, in hexadecimal'],
    ['http://0177.0.0.1/', 'loopback, in octal'],
    ['http://127.1/', 'loopback, abbreviated'],
    ['http://0/', 'this host'],
    ['http://0.0.0.0/', 'this host'],
    ['http://[::1]/', 'loopback of IPv6'],
    ['http://[::]/', 'this host, in IPv6'],
    ['http://[0:0:0:0:0:0:0:1]/', 'loopback, written out'],
    ['http://[::ffff:127.0.0.1]/', 'loopback, mapped'],
    ['http://[::ffff:7f00:1]/', 'loopback, mapped, in hexadecimal'],
    ['http://[::127.0.0.1]/', 'loopback, compatible'],
    ['http://[64:ff9b::127.0.0.1]/', 'loopback behind NAT64'],
    ['http://[2002:7f00:1::]/', 'loopback behind 6to4'],
    ['http://169.254.169.254/latest/meta-data/', 'metadata'],
    ['http://0xa9fea9fe/', 'metadata, in hexadecimal'],
    ['http://[::ffff:169.254.169.254]/', 'metadata, mapped'],
    ['http://[fd00:ec2::254]/', 'metadata of AWS in IPv6'],
    ['http://100.100.100.200/', 'metadata of Alibaba'],
    ['http://168.63.129.16/', 'metadata of Azure'],
    ['http://169.254.1.1/', 'link-local'],
    ['http://[fe80::1]/', 'link-local of IPv6'],
    ['http://localhost/', 'by name'],
    ['http://LOCALHOST./', 'by name with a dot'],
    ['http://foo.localhost/', 'a name below localhost'],
    ['http://metadata.google.internal/', 'metadata by name'],
  ])('%s (%s)', (url) => {
    expect(isAllowed(hostOf(url))).toBe(false);
  });

  test('a name that resolves to such an address, whatever it is called', () => {
    for (const address of ['127.0.0.1', '::1', '169.254.169.254', '::ffff:10.0.0.1%0', 'fe80::1%eth0']) {
      const target = { host: 'innocent.example', port: 443, address };
      expect(isAllowed(target), address).toBe(kindOfAddress(address) === null);
    }
    expect(isAllowed({ host: 'innocent.example', port: 443, address: '127.0.0.1' })).toBe(false);
  });
});

describe('open by default', () => {
  test.each([
    'http://192.0.2.1/',
    'http://10.0.0.1/',
    'http://[2001:db8::1]/',
    'http://example.com/',
    'http://[64:ff9b::8.8.8.8]/',
  ])('%s', (url) => expect(isAllowed(hostOf(url))).toBe(true));
});

describe('allowNet', () => {
  test.each([
    ['127.0.0.1', { host: '127.0.0.1', port: 1 }, true],
    ['127.0.0.1:8080', { host: '127.0.0.1', port: 8080 }, true],
    ['127.0.0.1:8080', { host: '127.0.0.1', port: 8081 }, false],
    ['127.0.0.0/8', { host: '127.3.4.5', port: 80 }, true],
    ['127.0.0.0/8', { host: '::ffff:127.0.0.1', port: 80 }, true],
    ['127.0.0.1', { host: '::1', port: 80 }, false],
    ['[::1]:80', { host: '[::1]', port: 80 }, true],
    ['::1', { host: '::1', port: 80 }, true],
    ['localhost', { host: 'localhost', port: 80, address: '127.0.0.1' }, true],
    ['localhost', { host: 'evil.example', port: 80, address: '127.0.0.1' }, false],
    ['*.internal.example', { host: 'a.internal.example', port: 80, address: '127.0.0.1' }, true],
    ['*.internal.example', { host: 'notinternal.example', port: 80, address: '127.0.0.1' }, false],
    ['*', { host: '169.254.169.254', port: 80 }, true],
  ])('%s against %j: %j', (entry, target, expected) => {
    expect(isAllowed(target, createAccessPolicy({ allowNet: [entry] }))).toBe(expected);
  });

  test.each(['http://x/', '10.0.0.0/33', 'a:99999', 'a b', '', '1.2.3.4/x'])('refuses the entry %j', (entry) => {
    expect(() => createAccessPolicy({ allowNet: [entry] })).toThrow(/names no host/);
  });

  test('is named in the refusal, so that it can be copied', () => {
    const message = policy.refusalOfNetwork({ host: '[::1]', port: 8080 })?.message;
    expect(message).toContain('--allow-net [::1]:8080');
    expect(policy.refusalOfNetwork({ host: 'x.example', port: 80, address: '127.0.0.1' })?.message).toContain(
      'x.example:80 leads to 127.0.0.1, a loopback address',
    );
  });
});

describe('programs', () => {
  test('none by default, then those that are named', () => {
    expect(policy.refusalOfCommand('git')?.message).toContain('--allow-shell git');
    const some = createAccessPolicy({ allowCommands: ['git', '/bin/sh'] });
    expect(some.refusalOfCommand('git')).toBeNull();
    expect(some.refusalOfCommand('/bin/sh')).toBeNull();
    for (const other of ['/tmp/git', './git', 'git ', 'GIT', 'sh', 'bash']) {
      expect(some.refusalOfCommand(other), other).not.toBeNull();
    }
    expect(createAccessPolicy({ allowCommands: ['*'] }).refusalOfCommand('anything')).toBeNull();
  });
});
