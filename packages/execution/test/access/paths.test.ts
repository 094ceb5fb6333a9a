import { linkSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createAccessPolicy } from '../../src/access/access-policy.ts';

let root: string;
let work: string;
const policy = createAccessPolicy();

beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'casare-access-')));
  work = join(root, 'work');
  mkdirSync(join(work, 'inner'), { recursive: true });
  mkdirSync(join(root, 'outside'));
  writeFileSync(join(root, 'outside', 'secret.txt'), 'secret');
  writeFileSync(join(work, 'own.txt'), 'own');
});

afterEach(() => rmSync(root, { recursive: true, force: true }));

const isAllowed = (path: string, by = policy): boolean => by.refusalOfPath(path, work) === null;

describe('files inside the work folder are open', () => {
  test.each(['own.txt', 'inner/new.txt', 'not/yet/there.txt', '', 'inner/../own.txt', '..data', '...'])(
    '%j',
    (path) => {
      expect(isAllowed(join(work, path))).toBe(true);
    },
  );

  test('also by a link that stays inside, and when the work folder itself is a link', () => {
    symlinkSync(join(work, 'inner'), join(work, 'link'));
    symlinkSync(work, join(root, 'door'));
    expect(isAllowed(join(work, 'link', 'x'))).toBe(true);
    expect(policy.refusalOfPath(join(root, 'door', 'own.txt'), join(root, 'door'))).toBeNull();
  });
});

describe('there is no way out of the work folder', () => {
  test('by name: a sibling, a parent, a folder whose name begins alike', () => {
    mkdirSync(`${work}-other`);
    for (const path of [root, join(root, 'outside', 'secret.txt'), `${work}-other/x`, '/', '/etc/passwd']) {
      expect(isAllowed(path), path).toBe(false);
    }
  });

  test('by a link to a file, to a folder, through two links, or by a relative link', () => {
    symlinkSync(join(root, 'outside', 'secret.txt'), join(work, 'file'));
    symlinkSync(join(root, 'outside'), join(work, 'folder'));
    symlinkSync('folder', join(work, 'second'));
    symlinkSync('../outside', join(work, 'relative'));
    for (const path of ['file', 'folder', 'folder/secret.txt', 'second/secret.txt', 'relative/secret.txt']) {
      expect(isAllowed(join(work, path)), path).toBe(false);
    }
  });

  test('by a link above a file that does not exist yet', () => {
    symlinkSync(join(root, 'outside'), join(work, 'folder'));
    expect(isAllowed(join(work, 'folder', 'new', 'deep', 'file.txt'))).toBe(false);
  });

  test('by a link to a file that does not exist yet: writing would make it', () => {
    symlinkSync(join(root, 'outside', 'made-by-link.txt'), join(work, 'dangling'));
    symlinkSync('dangling', join(work, 'twice'));
    symlinkSync(join(root, 'outside', 'no-folder'), join(work, 'folder'));
    for (const path of ['dangling', 'twice', 'folder/x.txt']) expect(isAllowed(join(work, path)), path).toBe(false);
  });

  test('by a dangling link that comes back inside, it is open', () => {
    symlinkSync(join(work, 'later.txt'), join(work, 'to-later'));
    expect(isAllowed(join(work, 'to-later'))).toBe(true);
  });

  test('by links in a circle', () => {
    symlinkSync('b', join(work, 'a'));
    symlinkSync('a', join(work, 'b'));
    expect(isAllowed(join(work, 'a'))).toBe(false);
    expect(isAllowed(join(work, 'a', 'x'))).toBe(false);
  });

  test.runIf(process.platform === 'linux')('by the doors of /proc and /dev', () => {
    for (const path of ['/proc/self/root/etc/passwd', '/proc/self/environ', '/proc/self/fd/0', '/dev/fd/0']) {
      expect(isAllowed(path), path).toBe(false);
    }
    symlinkSync('/proc/self/root', join(work, 'proc'));
    expect(isAllowed(join(work, 'proc', 'etc', 'passwd'))).toBe(false);
    symlinkSync('/proc/self/cwd', join(work, 'cwd'));
    expect(isAllowed(join(work, 'cwd', 'package.json'))).toBe(false);
  });

  test('by a NUL character', () => {
    expect(isAllowed(`${work}/own.txt\0/../../outside`)).toBe(false);
  });

  test('a hard link is the file itself, which no path check can tell', () => {
    linkSync(join(root, 'outside', 'secret.txt'), join(work, 'hard'));
    expect(isAllowed(join(work, 'hard'))).toBe(true);
  });
});

describe('what the operator allows', () => {
  test('is a folder with all in it, and nothing beside it', () => {
    const wider = createAccessPolicy({ allowPaths: [join(root, 'outside')] });
    expect(isAllowed(join(root, 'outside', 'secret.txt'), wider)).toBe(true);
    expect(isAllowed(join(root, 'outside', 'new'), wider)).toBe(true);
    expect(isAllowed(join(root, 'else'), wider)).toBe(false);
  });

  test('never includes what is denied inside it, but for the work folder', () => {
    const home = root;
    const all = createAccessPolicy({ allowPaths: ['*'], denyPaths: [home] });
    expect(isAllowed('/etc/passwd', all)).toBe(true);
    expect(isAllowed(join(home, 'store.db'), all)).toBe(false);
    expect(isAllowed(join(work, 'own.txt'), all)).toBe(true);
    symlinkSync(join(home, 'outside'), join(work, 'home'));
    expect(isAllowed(join(work, 'home', 'secret.txt'), all)).toBe(false);
  });

  test('is named in the refusal, with the flag and the setting', () => {
    const refusal = policy.refusalOfPath(join(root, 'outside', 'secret.txt'), work);
    expect(refusal).toMatchObject({ code: 'PERMISSION_DENIED', category: 'permanent', errorType: 'PermissionError' });
    expect(refusal?.message).toContain(`--allow-path ${join(root, 'outside')}`);
    expect(refusal?.message).toContain('permissions.allowPaths');
  });

  test('is not named where it would be the half of a secret with a slash', () => {
    const path = join(root, 'outside', 'hunter2-K9!x', '"long.txt');
    const message = policy.refusalOfPath(path, work)?.message ?? '';
    expect(message).toContain(path);
    expect(message.replaceAll('hunter2-K9!x/"long', '[redacted]')).not.toContain('hunter2');
    expect(message).toContain('--allow-path and the folder of that file');
    const command = policy.refusalOfCommand('/opt/hunter2-K9!x/"long');
    expect(JSON.stringify([command?.message, command?.details]).replaceAll('hunter2-K9!x/\\"long', '')).not.toContain(
      'long',
    );
  });
});
