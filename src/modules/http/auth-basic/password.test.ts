import { describe, expect, it } from 'vitest';
import { checkPassword } from './password.js';
import { parseUsers } from './user-files.js';

describe('checkPassword', () => {
  it.each([
    ['{PLAIN}', '{PLAIN}password'],
    ['{SHA}', '{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g='],
    ['{SSHA}', '{SSHA}yI6cZwQadOA1e+/f+T+H3eCQQhRzYWx0'],
    ['apr1', '$apr1$salt$Xxd1irWT9ycqoYxGFn4cb.'],
    ['MD5', '$1$salt$qJH7.N4xYta3aEG/dfqo/0'],
    [
      'SHA-512',
      '$6$saltstring$adDbXsJjcDlq2662QPgd.tkSOVmnG9Tt3oXl4HR60SusC3AGjirnDenVZp3DGwLwqy6iYKCzannhaX9DR72nN1',
    ],
    ['DES', 'sa3tHJ3/KuYvI'],
    ['bcrypt', '$2y$05$WoaFvadU3RHzH5CB4S0Tc.mKzyDYDR6Lb5uBRwnnA.Ca4jQtt1Ynm'],
  ])(
    'tells the right password from wrong ones by %s, and again when it was right before',
    async (_, stored) => {
      expect(await checkPassword('123', stored)).toBe(false);
      expect(await checkPassword('password', stored)).toBe(true);
      expect(await checkPassword('password', stored)).toBe(true);
      expect(await checkPassword('passwor', stored)).toBe(false);
      expect(await checkPassword('', stored)).toBe(false);
    },
  );

  it.each([
    '$1$',
    '$apr1$',
    '{SHA}Zm9vCg==',
    '{SSHA}Zm9vCg==',
    '{SHA}_____Mm5Pz8GgiULbPgzG37mj9g=',
    '$6$',
    '$2y$',
  ])('takes no password for the broken hash %s', async (stored) => {
    for (const password of ['', '1', 'foo', 'password'])
      expect(await checkPassword(password, stored)).not.toBe(true);
  });

  it.each(['$y$j9T$salt$hash', '', '*', '!'])(
    'says so when it does not know the kind of "%s"',
    async (stored) => expect(await checkPassword('password', stored)).toBeNull(),
  );

  it('computes no hash of an endless password', async () =>
    expect(await checkPassword('x'.repeat(100_000), '$6$rounds=1000$$x')).toBe(false));
});

it('reads user files: the first line of a user, up to a second colon, no comments', () => {
  const users = parseUsers('# a:b\nann:{PLAIN}a:Ann\r\n\nbob:x\nann:y\nnobody\n:z\ncarl:{PLAIN}c');
  expect([...users]).toEqual([
    ['ann', '{PLAIN}a'],
    ['bob', 'x'],
    ['carl', '{PLAIN}c'],
  ]);
});
