import assert from 'node:assert/strict';
import test from 'node:test';
import { choosePackage } from './packages.js';

test('a build with unmet or unknown needs is passed over', () => {
  /** @param {string} name @param {string[]} needs */
  const built = (name, needs) => ({ name, needs, module: '', wasm: '' });
  const packages = [
    built('threads', ['cross-origin-isolation']),
    built('future', ['something-new']),
    built('base', []),
  ];
  assert.equal(choosePackage(packages)?.name, 'base');
});
