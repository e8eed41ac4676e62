import assert from 'node:assert/strict';
import test from 'node:test';
import { heatColour, whereStrongest } from './heat.js';

test('hotter is lighter', () => {
  const light = Array.from({ length: 21 }, (_, step) => heatColour(step / 20)).map(
    ([red, green, blue]) => 0.299 * red + 0.587 * green + 0.114 * blue,
  );
  for (let step = 1; step < light.length; step += 1) assert.ok(light[step] > light[step - 1], `${step}`);
  assert.deepEqual(heatColour(2), heatColour(1));
});

test('the hottest part is named', () => {
  const heat = (/** @type {number[]} */ ...values) => ({ values, width: 3, height: 3 });
  assert.equal(whereStrongest(heat(1, 0, 0, 0, 0, 0, 0, 0, 0)), 'top_left');
  assert.equal(whereStrongest(heat(0, 0, 0, 0, 0, 1, 0, 0, 0)), 'right');
  assert.equal(whereStrongest(heat(0, 0, 0, 0, 0, 0, 0, 1, 0)), 'bottom');
  assert.equal(whereStrongest(heat(1, 1, 1, 1, 1, 1, 1, 1, 1)), 'middle');
  assert.equal(whereStrongest(heat(0, 0, 0, 0, 0, 0, 0, 0, 0)), 'middle');
});
