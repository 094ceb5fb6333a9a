/** The hosts that an operator allows: names, addresses, networks, each with or without a port. Pure. */
import { BlockList, isIP } from 'node:net';
import { embeddedV4, plainName } from './address-kind.ts';

/** Where a connection is to go; `address` once the name is resolved. */
export interface NetworkTarget {
  /** As the workflow says it: a name or an IP address, with or without brackets. */
  readonly host: string;
  /** 0 when it is not known. */
  readonly port: number;
  readonly address?: string;
}

export interface NetRules {
  /** True when everything is allowed. */
  readonly isOpen: boolean;
  allows(target: NetworkTarget): boolean;
}

type Rule = (host: string, address: string | null, port: number) => boolean;

/**
 * @param entries `*`, `host`, `host:port`, `*.example.com`, `127.0.0.1`, `[::1]:8080`, `10.0.0.0/8`
 * @throws Error naming the entry that cannot be read
 */
export function parseNetRules(entries: readonly string[]): NetRules {
  const isOpen = entries.some((entry) => entry.trim() === '*');
  const rules = entries.filter((entry) => entry.trim() !== '*').map(parseRule);
  return {
    isOpen,
    allows({ host, port, address }) {
      if (isOpen) return true;
      const name = plainName(host);
      const ip = address ?? (isIP(name) === 0 ? null : name);
      return rules.some((rule) => rule(name, ip, port));
    },
  };
}

function parseRule(entry: string): Rule {
  const text = entry.trim().toLowerCase();
  const fault = new Error(
    `"${entry}" names no host: write a name, an address, a network such as 10.0.0.0/8, or one of these with :port.`,
  );
  const parts = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(text);
  const bareV6 = isIP(text.split('/')[0] ?? '') === 6 ? text : undefined;
  const target = bareV6 ?? parts?.[1] ?? parts?.[2];
  const port = bareV6 === undefined && parts?.[3] !== undefined ? Number(parts[3]) : null;
  if (target === undefined || (port !== null && port > 65_535)) throw fault;
  const isRightPort = (asked: number): boolean => port === null || asked === port;
  const [network = '', prefix] = target.split('/');
  const family = isIP(network);
  if (family !== 0) {
    const bits = prefix === undefined ? (family === 4 ? 32 : 128) : Number(prefix);
    if (!Number.isInteger(bits) || bits < 0 || bits > (family === 4 ? 32 : 128)) throw fault;
    const list = new BlockList();
    list.addSubnet(network, bits, family === 4 ? 'ipv4' : 'ipv6');
    return (_host, address, asked) => address !== null && isRightPort(asked) && holds(list, address);
  }
  if (prefix !== undefined || !/^(\*\.)?[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?\.?$/.test(target)) throw fault;
  const name = plainName(target);
  return name.startsWith('*.')
    ? (host, _address, asked) => isRightPort(asked) && host.endsWith(name.slice(1))
    : (host, _address, asked) => isRightPort(asked) && host === name;
}

function holds(list: BlockList, address: string): boolean {
  const plain = plainName(address);
  if (list.check(plain, isIP(plain) === 4 ? 'ipv4' : 'ipv6')) return true;
  const inner = isIP(plain) === 6 ? embeddedV4(plain) : null;
  return inner !== null && list.check(inner, 'ipv4');
}
