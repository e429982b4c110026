// README's walk works as it is printed: its shell blocks are run, one after another, against a host.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { ACCESS_KEY_ID, SECRET_ACCESS_KEY, startTestHost } from '../support/test-host.ts';

const root = path.join(import.meta.dirname, '..', '..');
const shims = path.join(root, 'test', 'support', 'bin');

test('the commands of README deploy, invoke, update, list and delete a function', async () => {
  await using t = await startTestHost();
  const directory = await mkdtemp(path.join(tmpdir(), 'lambkin-readme-'));
  try {
    const outputs = [];
    for (const block of shellBlocks()) outputs.push(await run(block, directory, t.url));
    const [, created = '', updated = '', listed = ''] = outputs;
    assert.match(created, /"State": "Pending"/);
    assert.match(created, /START RequestId: .*Version: \$LATEST/);
    assert.match(created, /INFO\thello Ada/);
    assert.match(created, /REPORT RequestId: /);
    assert.match(created, /\{"greeting":"Hello, Ada!"\}/);
    assert.match(updated, /\{"greeting":"Good morning, Ada!"\}/);
    assert.match(listed, /"hello"/);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
});

/** The `sh` blocks that follow the mark in README. */
function shellBlocks(): string[] {
  const readme = readFileSync(path.join(root, 'README.md'), 'utf8');
  const walk = readme.slice(readme.indexOf('<!-- walk:'));
  const blocks = [...walk.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, text = '']) => text);
  assert.equal(blocks.length, 4, 'README has four blocks to run');
  return blocks;
}

function run(script: string, cwd: string, url: string): Promise<string> {
  const bin = path.join(cwd, '.bin');
  mkdirSync(bin, { recursive: true });
  for (const tool of ['aws', 'zip']) if (!isUsable(tool)) link(tool, bin);
  const env = {
    PATH: `${bin}:${process.env['PATH']}`,
    HOME: process.env['HOME'] ?? cwd,
    LAMBKIN_NODE: process.execPath,
    AWS_ENDPOINT_URL_LAMBDA: url,
    AWS_REGION: 'us-east-1',
    AWS_DEFAULT_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: ACCESS_KEY_ID,
    AWS_SECRET_ACCESS_KEY: SECRET_ACCESS_KEY,
    AWS_PAGER: '',
    AWS_MAX_ATTEMPTS: '1',
  };
  return new Promise((resolve, reject) => {
    const child = spawn('sh', ['-e', '-c', script], {
      cwd,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    let errors = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk));
    child.stderr.on('data', (chunk: Buffer) => (errors += chunk));
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) resolve(output);
      else reject(new Error(`exit ${code} of:\n${script}\n${output}\n${errors}`));
    });
  });
}

/** The AWS CLI knows AWS_ENDPOINT_URL_LAMBDA from 1.29 and 2.13 on; an older one would talk to AWS. */
function isUsable(tool: string): boolean {
  const { status, stdout } = spawnSync(tool, ['--version'], { encoding: 'utf8' });
  if (status !== 0) return false;
  const [, major, minor] = /aws-cli\/(\d+)\.(\d+)/.exec(stdout) ?? [];
  if (tool !== 'aws') return true;
  return major === '1' ? Number(minor) >= 29 : Number(minor) >= 13;
}

function link(tool: string, bin: string): void {
  const script = readFileSync(path.join(shims, tool), 'utf8');
  writeFileSync(path.join(bin, tool), script.replace('"$(dirname "$0")', `"${shims}`));
  chmodSync(path.join(bin, tool), 0o755);
}
