import { describe, expect, it } from 'vitest';
import { desCrypt } from './des-crypt.js';
import { md5Crypt } from './md5-crypt.js';
import { shaCrypt } from './sha-crypt.js';

// The hashes were made with crypt(3) of libxcrypt, those of apr1 with openssl passwd.
describe('hashes of crypt(3)', () => {
  it.each([
    ['', 'abmF1QH4PEr.E'],
    ['password', 'sa3tHJ3/KuYvI'],
    ['longer than eight', './yPRzyX/WeSM'],
    ['p\xe4ss', 'ZzHkpX3nEkl0o'],
    ['x', 'z9H7BrkXQyLiU'],
  ])('DES of "%s"', (password, stored) => expect(desCrypt(password, stored)).toBe(stored));

  it.each([
    ['', '$1$', '', '$qRPK7m23GJusamGpoGLby/'],
    ['a', '$1$', 'abc', '$uAXS.Zj1ZDNcW9iX1TVH2/'],
    ['longer than sixteen bytes', '$1$', '12345678', '$qdNxLe6nviph0garsWYgp.'],
    ['p\xe4ss', '$1$', '', '$p4zBVRfzQSEym6U5Zn9GE.'],
    ['secret', '$apr1$', 'abcd1234', '$KISB.4aBzP4pecxr2tTpg1'],
    ['', '$apr1$', 'abcd1234', '$9ARrPhupKa1ZPJFmPEwwo.'],
    ['much longer than a digest of md5 has bytes', '$apr1$', 'x', '$jeJRbgaezm3xu9qxu42IO/'],
  ] as const)('MD5 of "%s" by %s', (password, magic, salt, hash) =>
    expect(md5Crypt(password, magic, salt + hash)).toBe(magic + salt + hash),
  );

  it('MD5 cuts a salt at eight bytes', () =>
    expect(md5Crypt('longer than sixteen bytes', '$1$', '123456789')).toBe(
      '$1$12345678$qdNxLe6nviph0garsWYgp.',
    ));

  it.each([
    ['', '$5$', '$3c2QQ0KjIU1OLtB29cl8Fplc2WN7X89bnoEjaR7tWu.'],
    ['a', '$5$', 'abcdefghijklmnop$DPoS.d1vEHDatG9aGvI6mut5WS6yqh2q9mihBYl8JQ/'],
    [
      'longer than thirty-two bytes, which is a digest',
      '$5$',
      'x$7Q/T1PrOoYFA/5P9k7EMvqM7m0btN.REfVs9E98lw6.',
    ],
    ['', '$6$', 's$.ZBEl9liET9mKM6jGxl//vp8wOnIJwfkp.7sG2Ahu2q68bf4LasDRE6k5T5NPzLqBFx3oUbMl6xWpBsFfgm6..'],
    [
      'p\xe4ss'.repeat(30),
      '$6$',
      'rounds=1500$0123456789abcdef$kMcjiSrrzJGwPFOavPPJW51TV7W/bQ413W.2LgCcJOR0M2TyK7EjBQCsI21ZzGqZf0zoNipNZmieKShcRhpYj.',
    ],
    [
      'a',
      '$6$',
      'rounds=1000$$hETGMQQ5sXu1md3PrmRCM4AxTgbNpYQaIhk4xQzvCiNfeogfCR9PZGSRXghUOxMAPFU2wuz/ZLafIHrHopO.60',
    ],
  ] as const)('SHA-2 of "%s" by %s', async (password, magic, rest) =>
    expect(await shaCrypt(password, magic, rest)).toBe(magic + rest),
  );
});
