// How often each version of an alias is drawn. Draws come from a generator with a fixed seed, so a run is like any other.
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { InvokeCommand } from '@aws-sdk/client-lambda';
import { drawnVersion } from '../../host/functions/routing.ts';
import { randomFrom } from '../store/random.ts';
import { startApiHost } from '../support/api-host.ts';
import { alias, weights, withVersions } from '../support/versions.ts';

const DRAWS = 20_000;

/** How many of the draws the additional version gets. */
function drawn(weight: number, seed: string): number {
  const random = randomFrom(seed);
  const alias = { version: '1', additional: { version: '2', weight } };
  let count = 0;
  for (let draw = 0; draw < DRAWS; draw++) if (drawnVersion(alias, random) === '2') count++;
  return count;
}

suite('The additional version', () => {
  test('is drawn as often as its weight says, within four standard deviations', () => {
    for (const weight of [0.01, 0.1, 0.25, 0.5, 0.9, 0.999])
      for (const seed of ['a', 'b', 'c']) {
        const deviation = Math.sqrt(DRAWS * weight * (1 - weight));
        const distance = Math.abs(drawn(weight, seed) - DRAWS * weight);
        assert.ok(distance < 4 * deviation, `${weight} with seed ${seed}: off by ${distance}`);
      }
  });

  test('is never drawn with weight 0 and always with weight 1', () => {
    assert.equal(drawn(0, 'a'), 0);
    assert.equal(drawn(1, 'a'), DRAWS);
  });

  test('is drawn for each invocation by itself: runs are as long as chance makes them', () => {
    const random = randomFrom('runs');
    const alias = { version: '1', additional: { version: '2', weight: 0.5 } };
    let changes = 0;
    let last = drawnVersion(alias, random);
    for (let draw = 1; draw < DRAWS; draw++) {
      const next = drawnVersion(alias, random);
      if (next !== last) changes++;
      last = next;
    }
    assert.ok(Math.abs(changes - DRAWS / 2) < 4 * Math.sqrt(DRAWS / 4), `${changes} changes`);
  });

  test('costs no draw when there is none', () => {
    const never = () => assert.fail('drawn');
    assert.equal(drawnVersion({ version: '1' }, never), '1');
  });

  test('is what the host’s random source says, below the weight', async () => {
    const draws = [0, 0.2499, 0.25, 0.9999];
    await using host = await startApiHost({ random: () => draws.shift() ?? 1 });
    const { client } = host;
    await withVersions(client, 'f', 2);
    await alias(client, 'f', 'PROD', '1', weights({ 2: 0.25 }));
    const versions: (string | undefined)[] = [];
    for (const _ of [1, 2, 3, 4]) {
      const command = new InvokeCommand({ FunctionName: 'f', Qualifier: 'PROD' });
      versions.push((await client.send(command)).ExecutedVersion);
    }
    assert.deepEqual(versions, ['2', '2', '1', '1']);
  });
});
