// The two programming models of Node on Lambda, in one place: v3 up to Node 22 (callbacks), v4 from Node 24 on (promises only).

/** `v3`: callbacks, callbackWaitsForEmptyEventLoop. `v4`: what the handler returns is the result. */
export type Generation = 'v3' | 'v4';

/** Chosen by the runtime identifier in AWS_EXECUTION_ENV, else by the Node that runs. */
export function generationOf(executionEnv: string | undefined, nodeVersion: string): Generation {
  const major =
    /^AWS_Lambda_nodejs(\d+)\./.exec(executionEnv ?? '')?.[1] ?? nodeVersion.split('.')[0];
  return Number(major) >= 24 ? 'v4' : 'v3';
}
