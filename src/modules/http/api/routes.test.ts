import { expect, it } from 'vitest';
import { findRoute, partsOf, ROUTES } from './routes.js';

it('every route is found by its own path, and the names in it are told', () => {
  for (const route of ROUTES) {
    const found = findRoute(9, partsOf(route.path.replaceAll(/\{(\w+)\}/g, 'a-$1')));
    expect(found.route).toBe(route);
    expect(found.names).toEqual([...route.path.matchAll(/\{(\w+)\}/g)].map(([, name]) => `a-${name}`));
  }
});
