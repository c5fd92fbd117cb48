/*
 * empty_gif: a transparent image of one pixel.
 */
import { defineDirective } from '../../../conf/schema/definition.js';
import type { HttpRequest } from '../../../request/http-request.js';
import { DONE, type Outcome } from '../../../request/phase.js';
import { respond } from '../../../request/send.js';
import type { HttpModule } from '../../module.js';

const emptyGif = defineDirective({
  name: 'empty_gif',
  syntax: 'empty_gif',
  contexts: ['location'],
  args: [],
  block: null,
  default: null,
  inherit: 'none',
  isRepeatable: true,
  summary: 'Answers with a transparent image of one pixel.',
  since: '0.2.0',
  effect: 'full',
});

export const emptyGifModule: HttpModule = {
  name: 'empty_gif',
  directives: [emptyGif],
  location(scope, build) {
    if (scope.has(emptyGif)) build.setContent(showPixel);
  },
};

/** GIF89a: two colours, the second transparent, and one pixel of it. Byte for byte nginx's. */
const PIXEL = [
  ['474946383961', '0100010080 0100'], // signature; 1 by 1, a palette of two
  ['000000', 'ffffff'], // the palette
  ['21f904', '01000001', '00'], // the second colour is transparent
  ['2c', '00000000', '01000100', '00'], // where the image is, and how large
  ['02', '02', '4c01', '00', '3b'], // the pixel, and the end
]
  .flat()
  .map((hex) => Buffer.from(hex.replaceAll(' ', ''), 'hex').toString('latin1'))
  .join('');

/** September 28, 1970, as nginx has it. */
const LAST_MODIFIED = 23_349_600;

function showPixel(request: HttpRequest): Outcome {
  if (request.method !== 'GET' && request.method !== 'HEAD') return 405;
  request.response.lastModified = LAST_MODIFIED;
  respond(request, 200, 'image/gif', PIXEL);
  return DONE;
}
