// Which programming model a runtime gets.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { generationOf } from '../../bootstrap/node/generation.ts';

test('the runtime identifier decides, whatever Node runs', () => {
  assert.equal(generationOf('AWS_Lambda_nodejs24.x', '20.1.0'), 'v4');
  assert.equal(generationOf('AWS_Lambda_nodejs26.x', '24.1.0'), 'v4');
  assert.equal(generationOf('AWS_Lambda_nodejs22.x', '24.1.0'), 'v3');
  assert.equal(generationOf('AWS_Lambda_nodejs20.x', '24.1.0'), 'v3');
});

test('without a runtime identifier the version of Node decides', () => {
  assert.equal(generationOf(undefined, '24.21.0'), 'v4');
  assert.equal(generationOf('', '22.1.0'), 'v3');
  assert.equal(generationOf('AWS_Lambda_python3.13', '24.0.0'), 'v4');
});
