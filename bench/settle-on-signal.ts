// Loaded into a proxy before its own code (node --expose-gc --import), for the memory measurement: on
// SIGPWR, which no proxy uses, it collects all garbage, so that what is left is what is held.

process.on('SIGPWR', () => {
  const collect = globalThis.gc;
  if (collect === undefined) throw new Error('Cannot collect garbage: start Node with --expose-gc');
  // Twice: what a finaliser lets go of in the first is free in the second.
  for (let pass = 0; pass < 2; pass++) collect();
});
