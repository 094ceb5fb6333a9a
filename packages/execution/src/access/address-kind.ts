/**
 * What kind of address an IP address is, for the rule that nodes reach no loopback, link-local or metadata
 * service unless the operator says so. An IPv4 address inside an IPv6 one (mapped, compatible, NAT64, 6to4)
 * counts as the IPv4 address: that is where a packet may go.
 *
 * Sources: RFC 6890 and the IANA special-purpose registries; the metadata addresses of AWS, Azure, Google, Alibaba
 * and Oracle as their manuals name them.
 */
import { BlockList, isIP } from 'node:net';

export type SpecialKind = 'loopback' | 'link-local' | 'metadata';

const v4: Readonly<Record<SpecialKind, readonly (readonly [string, number])[]>> = {
  metadata: [
    ['169.254.169.254', 32],
    ['169.254.170.2', 32],
    ['169.254.170.23', 32],
    ['168.63.129.16', 32],
    ['100.100.100.200', 32],
    ['192.0.0.192', 32],
  ],
  // 0.0.0.0/8 means "this host": a connection to it ends at the loopback interface on Linux.
  loopback: [
    ['127.0.0.0', 8],
    ['0.0.0.0', 8],
  ],
  'link-local': [
    ['169.254.0.0', 16],
    ['224.0.0.0', 4],
    ['255.255.255.255', 32],
  ],
};

const v6: Readonly<Record<SpecialKind, readonly (readonly [string, number])[]>> = {
  metadata: [
    ['fd00:ec2::254', 128],
    ['fd00:ec2::23', 128],
    ['fd20:ce::254', 128],
  ],
  loopback: [
    ['::1', 128],
    ['::', 128],
  ],
  'link-local': [
    ['fe80::', 10],
    ['fec0::', 10],
    ['ff00::', 8],
  ],
};

const order: readonly SpecialKind[] = ['metadata', 'loopback', 'link-local'];
const lists = order.map((kind) => {
  const list = new BlockList();
  for (const [net, prefix] of v4[kind]) list.addSubnet(net, prefix, 'ipv4');
  for (const [net, prefix] of v6[kind]) list.addSubnet(net, prefix, 'ipv6');
  return { kind, list };
});

/** Names that lead to such an address whatever a name server says. */
const specialNames: readonly (readonly [RegExp, SpecialKind])[] = [
  [/(^|\.)localhost$/, 'loopback'],
  [/^(ip6-localhost|ip6-loopback|localhost\.localdomain)$/, 'loopback'],
  [/(^|\.)metadata\.google\.internal$|^metadata$|^instance-data(\.ec2\.internal)?$/, 'metadata'],
];

/** @param address an IP address without brackets; a zone (`%eth0`) is ignored */
export function kindOfAddress(address: string): SpecialKind | null {
  const plain = plainAddress(address);
  const family = isIP(plain);
  if (family === 0) return null;
  for (const { kind, list } of lists) if (list.check(plain, family === 4 ? 'ipv4' : 'ipv6')) return kind;
  const inner = family === 6 ? embeddedV4(plain) : null;
  return inner === null ? null : kindOfAddress(inner);
}

export function kindOfName(host: string): SpecialKind | null {
  const name = plainName(host);
  return specialNames.find(([pattern]) => pattern.test(name))?.[1] ?? null;
}

/** Lower case, without brackets and without the dot of a full name. */
export function plainName(host: string): string {
  return plainAddress(host).toLowerCase().replace(/\.$/, '');
}

function plainAddress(address: string): string {
  return address.replace(/^\[|\]$/g, '').replace(/%.*$/, '');
}

/** The IPv4 address that an IPv6 address carries; null when it carries none. */
export function embeddedV4(address: string): string | null {
  const groups = groupsOf(address);
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = groups;
  const isZero = (...values: readonly number[]): boolean => values.every((value) => value === 0);
  const last = dotted(g, h);
  if (isZero(a, b, c, d, e) && (f === 0xffff || f === 0)) return last;
  if (isZero(a, b, c, d, f) && e === 0xffff) return last;
  if (a === 0x64 && b === 0xff9b) return last;
  if (a === 0x2002) return dotted(b, c);
  // ISATAP: an interface identifier of 0:5efe or 200:5efe before the IPv4 address.
  if ((e & 0xfdff) === 0 && f === 0x5efe) return last;
  return null;
}

function dotted(high: number, low: number): string {
  return [high >> 8, high & 0xff, low >> 8, low & 0xff].join('.');
}

/** The eight groups, by way of the URL parser, which writes every IPv6 address in one form. */
function groupsOf(address: string): readonly number[] {
  const host = URL.parse(`http://[${address}]/`)?.hostname.slice(1, -1) ?? '';
  const [left = '', right] = host.split('::');
  const before = left === '' ? [] : left.split(':');
  const after = right === undefined || right === '' ? [] : right.split(':');
  const zeros = right === undefined ? 0 : 8 - before.length - after.length;
  return [...before, ...Array<string>(zeros).fill('0'), ...after].map((group) => Number.parseInt(group, 16));
}
