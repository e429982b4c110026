// The words behind `lambkin`: host/cli/command-line.ts, and host/main.ts as a process of its own.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { readCommand } from '../../host/cli/command-line.ts';

const root = join(import.meta.dirname, '../..');
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  version: string;
}; // as: npm asks for it

function lambkin(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(root, 'host/main.ts'), ...args],
    { encoding: 'utf8' },
  );
  return { status, stdout, stderr };
}

suite('The process', () => {
  test('helps however it is asked, and names every way to call it', () => {
    for (const args of [['--help'], ['-h'], ['help'], ['start', '--help'], ['start', '-h']]) {
      const { status, stdout, stderr } = lambkin(...args);
      assert.deepEqual([status, stderr], [0, ''], args.join(' '));
      assert.match(stdout, /^Usage: lambkin start \[FLAG VALUE \.\.\.\]\n {7}lambkin --version/);
      assert.match(stdout, /^ {2}--listen ADDRESS:PORT /m);
    }
  });

  test('says its version, for people and for programs', () => {
    assert.deepEqual(lambkin('--version'), {
      status: 0,
      stdout: `lambkin ${version}\n`,
      stderr: '',
    });
    const { status, stdout } = lambkin('--version', '--json');
    assert.equal(status, 0);
    assert.deepEqual(JSON.parse(stdout), {
      lambkin: version,
      node: process.versions.node,
      platform: `${process.platform}-${process.arch}`,
    });
  });

  test('ends with status 2, saying why on standard error, when it is called in a way that does not exist', () => {
    const calls: readonly (readonly [readonly string[], RegExp])[] = [
      [[], /^lambkin: a command is missing\.$/m],
      [['strat'], /^lambkin: there is no command 'strat'; did you mean start\?$/m],
      [['--version', 'please'], /--version takes --json and nothing else, not 'please'/],
      [['start', '--lissten', '127.0.0.1:0'], /unknown flag --lissten; did you mean --listen\?/],
      [['start', 'now'], /unexpected argument "now"/],
    ];
    for (const [args, why] of calls) {
      const { status, stdout, stderr } = lambkin(...args);
      assert.deepEqual([status, stdout], [2, ''], args.join(' '));
      assert.match(stderr, why);
    }
  });
});

suite('A command line', () => {
  test('hands everything behind start on', () => {
    const args = ['--listen', '127.0.0.1:0', '--version'];
    assert.deepEqual(readCommand(['start', ...args]), { kind: 'start', args });
  });

  test('that is not understood is refused with the nearest that is', () => {
    const refusals: readonly (readonly [readonly string[], string])[] = [
      [['deploy-it'], "there is no command 'deploy-it'."],
      [['STAR'], "there is no command 'STAR'; did you mean start?"],
      [['--versoin'], 'there is no flag --versoin; did you mean --version?'],
      [['--hlep'], 'there is no flag --hlep; did you mean --help?'],
      [
        ['--listen=1'],
        "the flag --listen stands before a command; flags of the host follow 'start'.",
      ],
      [['--version', '--jsn'], "--version takes --json and nothing else, not '--jsn'."],
    ];
    for (const [args, why] of refusals) {
      const command = readCommand(args);
      assert.ok(command.kind === 'refused', args.join(' '));
      assert.equal(command.problem.split('\n')[0], `lambkin: ${why}`);
    }
  });
});
