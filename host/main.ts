// The edge of the process: arguments, environment, signals, exit code. What a command does is in cli/.
import { closeInheritedDescriptors } from '../runtime/sandbox/descriptors.ts';

// First of all: a sandbox inherits whatever descriptor lacks close-on-exec.
closeInheritedDescriptors();

const EXIT_USAGE = 2;
/** After a first signal, the host has this long beyond its own grace before the process is ended. */
const LAST_RESORT_MS = 60_000;

const [command, ...args] = process.argv.slice(2);

if (command === 'start') await start(args);
else {
  process.stderr.write(
    `${command === undefined ? 'Which command?' : `There is no command '${command}'.`} Commands: start. Try: lambkin start --help\n`,
  );
  process.exitCode = EXIT_USAGE;
}

async function start(startArgs: readonly string[]): Promise<void> {
  const { runStart } = await import('./cli/start.ts');
  const controller = new AbortController();
  const onSignal = () => {
    if (controller.signal.aborted) process.exit(1);
    controller.abort();
    setTimeout(() => process.exit(1), LAST_RESORT_MS).unref();
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  process.exitCode = await runStart({
    args: startArgs,
    env: process.env,
    cwd: process.cwd(),
    signal: controller.signal,
    print: (line) => process.stdout.write(`${line}\n`),
    printError: (line) => process.stderr.write(`${line}\n`),
  });
  process.off('SIGINT', onSignal);
  process.off('SIGTERM', onSignal);
}
