import assert from 'node:assert/strict';
import test from 'node:test';
import { choosePackage } from './packages.js';

test('a build with unmet or unknown needs is passed over', () => {
  const packages = [
    { name: 'threads', needs: ['cross-origin-isolation'] },
    { name: 'future', needs: ['something-new'] },
    { name: 'base', needs: [] },
  ];
  assert.equal(choosePackage(packages)?.name, 'base');
});
