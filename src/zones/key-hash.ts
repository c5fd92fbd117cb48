/*
 * The hash of a key in a zone. security: keys come from clients. With a hash they could compute they would put
 * thousands of them into one chain, and each look there would walk it all; hence a keyed one.
 */

/**
 * HalfSipHash-1-3 of a byte string (Aumasson and Bernstein, 2012; 32 bits of state words), signed.
 * @param key0 @param key1 secret halves of the key, the same for all who share a zone
 */
export function hashKey(text: string, key0: number, key1: number): number {
  const { length } = text;
  const words = length >> 2;
  let v0 = key0;
  let v1 = key1;
  let v2 = 0x6c796765 ^ key0;
  let v3 = 0x74656462 ^ key1;
  // The words of the text, one with what is left of it and its length, and three rounds without any.
  for (let i = 0; i < words + 4; i++) {
    let word = 0;
    if (i < words) {
      const at = i << 2;
      word =
        text.charCodeAt(at) |
        (text.charCodeAt(at + 1) << 8) |
        (text.charCodeAt(at + 2) << 16) |
        (text.charCodeAt(at + 3) << 24);
    } else if (i === words) {
      word = length << 24;
      for (let at = words << 2, shift = 0; at < length; at++, shift += 8)
        word |= text.charCodeAt(at) << shift;
    } else if (i === words + 1) v2 ^= 0xff;
    v3 ^= word;
    v0 = (v0 + v1) | 0;
    v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
    v0 = (v0 << 16) | (v0 >>> 16);
    v2 = (v2 + v3) | 0;
    v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
    v0 = (v0 + v3) | 0;
    v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
    v2 = (v2 + v1) | 0;
    v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
    v2 = (v2 << 16) | (v2 >>> 16);
    v0 ^= word;
  }
  return v1 ^ v3;
}
