// The running sum of package bytes: what is under way counts, what fails does not stay.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StoredBytes } from '../../host/code/stored-bytes.ts';

const scope = '000000000000/us-east-1';

test('Growth counts from its decision, shrinking from its end, and other scopes not at all', async () => {
  const stored = new StoredBytes();
  stored.add(scope, 10);
  const done = Promise.withResolvers<string>();
  const growing = stored.during(scope, (decided) => {
    decided(5);
    return done.promise;
  });
  const shrinking = stored.during(scope, (decided) => {
    decided(-8);
    return done.promise;
  });
  assert.equal(stored.of(scope), 15);
  done.resolve('stored');
  assert.deepEqual(await Promise.all([growing, shrinking]), ['stored', 'stored']);
  assert.equal(stored.of(scope), 7);
  assert.equal(stored.of('000000000000/eu-west-1'), 0);
});

test('A change that fails leaves the sum as it was, whether it was decided or not', async () => {
  const stored = new StoredBytes();
  stored.add(scope, 10);
  const fault = new Error('the disk is full');
  for (const bytes of [5, -5, undefined]) {
    const failing = stored.during(scope, (decided) => {
      if (bytes !== undefined) decided(bytes);
      return Promise.reject(fault);
    });
    await assert.rejects(failing, fault);
    assert.equal(stored.of(scope), 10);
  }
});
